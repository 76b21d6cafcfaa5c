//! Tests of the expression language.

use super::*;
use crate::metrics::value::Value;

struct Known;

impl Names for Known {
    fn lookup(&self, name: &str) -> Name {
        match name {
            "tcp.time_wait" | "net.ipv4.tcp_tw_reuse" | "delta.TcpExt.ListenOverflows" | "params.zero" => {
                Name::Found(Type::Int)
            }
            "net.ipv4.conf.eth0/100.rp_filter" => Name::Found(Type::Int),
            "destination.port_use" => Name::Found(Type::Double),
            "netns.initial" => Name::Found(Type::Bool),
            "net.ipv4.tcp_rmem" | "net.ipv4.ip_local_port_range" => Name::Found(Type::Ints),
            "net.ipv4.ip_local_reserved_ports" => Name::Found(Type::Text),
            "tcp.idle" => Name::Found(Type::Ages),
            _ => Name::Unknown(Some("did you mean `tcp.time_wait`?".into())),
        }
    }
}

fn value_of(name: &str) -> Option<Value> {
    Some(match name {
        "tcp.time_wait" => Value::Int(300),
        "net.ipv4.tcp_tw_reuse" => Value::Int(2),
        "params.zero" => Value::Int(0),
        "destination.port_use" => Value::Double(0.5),
        "netns.initial" => Value::Bool(true),
        "net.ipv4.tcp_rmem" => Value::Ints(vec![4096, 131_072, 6_291_456]),
        "net.ipv4.ip_local_port_range" => Value::Ints(vec![32_768, 60_999]),
        "net.ipv4.ip_local_reserved_ports" => Value::Text("8080,9000-9010".into()),
        "net.ipv4.conf.eth0/100.rp_filter" => Value::Int(1),
        "tcp.idle" => Value::Ints(vec![5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1]),
        _ => return None,
    })
}

fn eval(source: &str) -> Result<Value, EvalError> {
    Expr::compile(source, &Known).unwrap_or_else(|errors| panic!("{source}: {errors:?}")).eval(&value_of)
}

fn error(source: &str) -> (String, String) {
    let errors = Expr::compile(source, &Known).expect_err(source);
    (source[errors[0].span.clone()].to_owned(), errors[0].message.clone())
}

#[test]
fn metrics_are_read_by_their_dotted_names() {
    assert_eq!(eval("tcp.time_wait + 1"), Ok(Value::Int(301)));
    assert_eq!(eval("net.ipv4.tcp_rmem[2] / 1024"), Ok(Value::Int(6144)));
    assert_eq!(eval(r#"net.ipv4.conf["eth0.100"].rp_filter == 1"#), Ok(Value::Bool(true)));
}

#[test]
fn functions_do_what_the_documentation_says() {
    let cases = [
        ("ratio(tcp.time_wait, 600)", Value::Double(0.5)),
        ("ratio(tcp.time_wait, params.zero)", Value::Double(0.0)),
        ("min(3, 2) + max(3, 2) + clamp(9, 1, 4)", Value::Int(9)),
        ("pow2(5000)", Value::Int(8192)),
        ("older(tcp.idle, 1800)", Value::Int(8)),
        ("older(tcp.idle, 1801)", Value::Int(1)),
        ("widen(net.ipv4.ip_local_port_range, 16384, 65535)", Value::Ints(vec![16_384, 65_535])),
        ("widen(net.ipv4.ip_local_port_range, 40000, 50000)", Value::Ints(vec![32_768, 60_999])),
        ("at(net.ipv4.tcp_rmem, 1, 87380)", Value::Ints(vec![4096, 87_380, 6_291_456])),
        ("include(net.ipv4.ip_local_reserved_ports, 9011)", Value::Text("8080,9000-9011".into())),
        ("percent(destination.port_use)", Value::Text("50 %".into())),
        ("size(net.ipv4.tcp_rmem)", Value::Int(3)),
        ("int(1.9) + int(double(2))", Value::Int(3)),
    ];
    for (source, expected) in cases {
        assert_eq!(eval(source), Ok(expected), "{source}");
    }
}

#[test]
fn a_name_that_does_not_exist_is_underlined_with_a_suggestion() {
    let errors = Expr::compile("tcp.time_wait > 5 && tcp.time_wiat > 5", &Known).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(&"tcp.time_wait > 5 && tcp.time_wiat > 5"[errors[0].span.clone()], "tcp.time_wiat");
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `tcp.time_wait`?"));
}

#[test]
fn types_are_checked_before_anything_runs() {
    assert_eq!(error("destination.port_use * 2").1, "int and double do not mix in arithmetic");
    assert_eq!(error("tcp.time_wait && true").1, "bool is wanted on both sides, but one is int");
    assert_eq!(error("tcp.time_wait > netns.initial").1, "`>` does not work on int and bool");
    assert_eq!(error("older(tcp.time_wait, 5)").1, "older(int, int) does not exist");
    assert_eq!(error("oldre(tcp.idle, 5)").1, "there is no function `oldre`");
    assert_eq!(error("netns.initial ? 1 : 2.0").1, "both results must be of one type, but they are int and double");
    assert_eq!(error("tcp.idle == 3").1, "`==` does not work on ages and int");
}

#[test]
fn loops_over_lists_are_refused_so_that_no_condition_can_run_long() {
    let (_, message) = error("net.ipv4.tcp_rmem.exists(x, x < 0)");
    assert!(message.contains("not available"), "{message}");
    assert!(Expr::compile(&format!("{}1{}", "(".repeat(500), ")".repeat(500)), &Known).is_err());
    assert!(Expr::compile(&format!("{}1", "1+".repeat(500)), &Known).is_err());
    assert!(Expr::compile(&format!("{}true", "!".repeat(2000)), &Known).is_err());
    assert!(Expr::compile(&" ".repeat(5000), &Known).is_err());
    let longest_chain = format!("{}1", "1+".repeat(60));
    assert_eq!(eval(&longest_chain), Ok(Value::Int(61)), "what is accepted must run");
    let deepest = format!("{}1{}", "(".repeat(12), ")".repeat(12));
    assert_eq!(eval(&deepest), Ok(Value::Int(1)), "what is accepted must run");
}

#[test]
fn syntax_errors_name_the_place_in_few_words() {
    assert_eq!(error("tcp.time_wait = 3"), ("=".into(), "`=` is not understood here".into()));
    assert_eq!(error("tcp.time_wait >").1, "the expression ends here, but more is wanted");
    assert_eq!(error("").1, "an expression is wanted here, but this is empty");
}

#[test]
fn a_metric_that_was_not_read_is_an_error_and_never_false() {
    assert_eq!(eval("delta.TcpExt.ListenOverflows > 0"), Err(EvalError::Unread("delta.TcpExt.ListenOverflows".into())));
    assert_eq!(
        eval("tcp.time_wait > 1000 && delta.TcpExt.ListenOverflows > 0"),
        Err(EvalError::Unread("delta.TcpExt.ListenOverflows".into())),
        "even where the other side alone would decide"
    );
}

#[test]
fn has_guards_a_metric_that_may_be_missing() {
    assert_eq!(eval("has(delta.TcpExt.ListenOverflows) && delta.TcpExt.ListenOverflows > 0"), Ok(Value::Bool(false)));
    assert_eq!(eval("has(tcp.time_wait) && tcp.time_wait == 300"), Ok(Value::Bool(true)));
    assert!(Expr::compile("has(tcp.nothing)", &Known).is_err());
}

#[test]
fn what_cannot_be_computed_says_why() {
    assert_eq!(
        eval("tcp.time_wait / params.zero"),
        Err(EvalError::DivisionByZero("tcp.time_wait / params.zero".into()))
    );
    assert_eq!(
        eval("tcp.time_wait * 9223372036854775807"),
        Err(EvalError::Overflow("tcp.time_wait * 9223372036854775807".into()))
    );
    assert!(eval("net.ipv4.tcp_rmem[7]").unwrap_err().to_string().contains("no element 7"));
}

mod any_text {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_makes_the_compiler_panic(source in "\\PC{0,60}") {
            let _ = super::Expr::compile(&source, &super::Known);
        }

        #[test]
        fn that_looks_like_cel_never_makes_it_panic(
            source in "[a-z0-9.()\\[\\]!&|<>=+*/?:\"' -]{0,60}"
        ) {
            let _ = super::Expr::compile(&source, &super::Known);
        }
    }
}
