//! The lists that findings of a rule have in common, as JSON that is made once.
//!
//! In: the lists of one finding after the other. Out: the JSON of each. Must not: know the structs of a format; the format
//! gives them.

use crate::audit::model::{Advice, Avoid, Recommendation};
use crate::report::as_json::Kept;

/// The lists of the last finding, for one format.
#[derive(Default)]
pub(super) struct KeptLists<'a> {
    pub(super) recommendations: Kept<&'a [Recommendation]>,
    pub(super) advice: Kept<&'a [Advice]>,
    pub(super) avoid: Kept<&'a [Avoid]>,
    pub(super) references: Kept<&'a [String]>,
}
