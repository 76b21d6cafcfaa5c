//! stub
pub fn is_known(_group: &str, _name: &str) -> bool {
    true
}
pub fn suggest(_full: &str) -> Option<String> {
    None
}
