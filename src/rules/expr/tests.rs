//! Tests of the expression language.

use super::*;
use crate::metrics::value::{Type, Value};

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
            "default(\"net.ipv4.tcp_rmem\")" => Name::Found(Type::Ints),
            "default(\"net.core.somaxconn\")" => Name::Found(Type::Int),
            "effective(\"net.ipv4.conf.*.rp_filter\")" | "effective(\"net.ipv6.conf.*.accept_ra\")" => {
                Name::Found(Type::Int)
            }
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
        "net.ipv4.tcp_rmem" | "default(\"net.ipv4.tcp_rmem\")" => Value::Ints(vec![4096, 131_072, 6_291_456]),
        "net.ipv4.ip_local_port_range" => Value::Ints(vec![32_768, 60_999]),
        "net.ipv4.ip_local_reserved_ports" => Value::Text("8080,9000-9010".into()),
        "net.ipv4.conf.eth0/100.rp_filter" => Value::Int(1),
        "effective(\"net.ipv4.conf.*.rp_filter\")" => Value::Int(2),
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
        ("include(net.ipv4.ip_local_reserved_ports, '22,8081')", Value::Text("22,8080-8081,9000-9010".into())),
        ("ports_in(net.ipv4.ip_local_reserved_ports, [8080, 9001])", Value::Text("8080,9000-9001".into())),
        ("ports_outside(net.ipv4.ip_local_reserved_ports, [8080, 9008])", Value::Text("9009-9010".into())),
        ("ports_in(net.ipv4.ip_local_reserved_ports, [1, 79])", Value::Text(String::new())),
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
    assert_eq!(error("destination.port_use * 2").1, "int and double cannot be mixed in arithmetic");
    assert_eq!(error("tcp.time_wait && true").1, "expected bool on both sides, but one side is int");
    assert_eq!(error("tcp.time_wait > netns.initial").1, "`>` does not work on int and bool");
    assert_eq!(error("older(tcp.time_wait, 5)").1, "older(int, int) does not exist");
    assert_eq!(error("oldre(tcp.idle, 5)").1, "there is no function `oldre`");
    assert_eq!(error("netns.initial ? 1 : 2.0").1, "both results must be of one type, but they are int and double");
    assert_eq!(error("tcp.idle == 3").1, "`==` does not work on ages and int");
}

#[test]
fn loops_over_lists_and_deep_trees_are_refused_so_that_no_condition_can_run_long_or_overflow_the_stack() {
    let (_, message) = error("net.ipv4.tcp_rmem.exists(x, x < 0)");
    assert!(message.contains("not available"), "{message}");
    assert!(Expr::compile(&format!("{}1{}", "(".repeat(500), ")".repeat(500)), &Known).is_err());
    assert!(Expr::compile(&format!("{}1", "1+".repeat(500)), &Known).is_err());
    assert!(Expr::compile(&format!("{}true", "!".repeat(2000)), &Known).is_err());
    assert!(Expr::compile(&" ".repeat(5000), &Known).is_err());
    let longest_chain = format!("{}1", "1+".repeat(99));
    assert_eq!(eval(&longest_chain), Ok(Value::Int(100)), "what is accepted must run");
    let deepest = format!("{}1{}", "(".repeat(39), ")".repeat(39));
    assert_eq!(eval(&deepest), Ok(Value::Int(1)), "what is accepted must run");
}

#[test]
fn what_is_accepted_runs_on_the_smallest_stack() {
    let sources = [
        format!("{}1", "1+".repeat(99)),
        format!("{}1{}", "(".repeat(39), ")".repeat(39)),
        format!("{}true", "!".repeat(39)),
        format!("{}1{}", "min(1, ".repeat(39), ")".repeat(39)),
        format!("{}1{}", "true ? ".repeat(39), " : 2".repeat(39)),
        format!("{}1{}", "false ? 2 : (".repeat(19), ")".repeat(19)),
    ];
    let run = move || sources.iter().for_each(|source| assert!(eval(source).is_ok(), "{source}"));
    std::thread::Builder::new().stack_size(768 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn literals_are_those_of_cel() {
    let cases = [
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("0x1F", Value::Int(31)),
        (".5 + 1e1", Value::Double(10.5)),
        (r#""a\tb" + 'c"\'d'"#, Value::Text("a\tbc\"'d".into())),
        ("true // && false", Value::Bool(true)),
        ("2 in [1, 2]", Value::Bool(true)),
    ];
    for (source, expected) in cases {
        assert_eq!(eval(source), Ok(expected), "{source}");
    }
    for (source, why) in [
        ("9223372036854775808", "64 bits"),
        ("10u", "only int and double exist"),
        ("'a", "never closed"),
        (r"'\q'", "is not an escape"),
        ("§", "is not understood here"),
    ] {
        let errors = Expr::compile(source, &Known).expect_err(source);
        assert!(errors[0].message.contains(why), "{source}: {errors:?}");
    }
}

#[test]
fn operators_hold_as_tightly_as_in_cel() {
    assert_eq!(eval("1 + 2 * 3 - 4 / 2"), Ok(Value::Int(5)));
    assert_eq!(eval("10 - 3 - 2"), Ok(Value::Int(5)));
    assert_eq!(eval("false && true || true"), Ok(Value::Bool(true)));
    assert_eq!(eval("true || false && false"), Ok(Value::Bool(true)));
    assert_eq!(eval("1 < 2 == true"), Ok(Value::Bool(true)));
    assert_eq!(eval("false ? 1 : true ? 2 : 3"), Ok(Value::Int(2)));
    assert_eq!(eval("-2 * -3"), Ok(Value::Int(6)));
}

#[test]
fn two_large_ints_are_compared_exactly() {
    assert_eq!(eval("max(9223372036854775807, 9223372036854775806)"), Ok(Value::Int(i64::MAX)));
    assert_eq!(eval("9223372036854775807 == 9223372036854775806"), Ok(Value::Bool(false)));
}

#[test]
fn syntax_errors_name_the_place_in_few_words() {
    assert_eq!(error("tcp.time_wait = 3"), ("=".into(), "`=` is not understood here".into()));
    assert_eq!(error("tcp.time_wait >").1, "the expression ends here, but more is expected");
    assert_eq!(error("").1, "expected an expression, but the text is empty");
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
    assert_eq!(eval("1.0 / 0.0"), Err(EvalError::DivisionByZero("1.0 / 0.0".into())));
    assert_eq!(eval("1e308 * 10.0"), Err(EvalError::Overflow("1e308 * 10.0".into())));
    assert!(eval("net.ipv4.tcp_rmem[7]").unwrap_err().to_string().contains("no element 7"));
}

mod any_text {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_makes_the_compiler_panic(source in "(?s).{0,60}") {
            let _ = super::Expr::compile(&source, &super::Known);
        }

        #[test]
        fn that_looks_like_an_expression_never_makes_it_panic(
            source in "[a-z0-9.()\\[\\]!&|<>=+*/?:\"' -]{0,60}"
        ) {
            if let Ok(expr) = super::Expr::compile(&source, &super::Known) {
                let _ = expr.eval(&super::value_of);
            }
        }

        #[test]
        fn that_is_refused_is_refused_at_a_place_of_the_text(source in "[a-z0-9.()!&<=+\"é ]{0,30}") {
            for error in super::Expr::compile(&source, &super::Known).err().into_iter().flatten() {
                prop_assert!(source.get(error.span.clone()).is_some(), "{:?}", error);
            }
        }
    }
}

/// Expressions with the value that they must have, computed beside the evaluator.
mod against_a_reference {
    use proptest::prelude::*;

    use super::{EvalError, Value, eval};

    type Number = (String, Result<i64, ()>);

    fn number() -> impl Strategy<Value = Number> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(|n| (n.to_string(), Ok(n))),
            (-9_i64..9).prop_map(|n| (n.to_string(), Ok(n))),
            Just(("tcp.time_wait".to_owned(), Ok(300))),
        ];
        leaf.prop_recursive(4, 24, 2, |inner| {
            (inner.clone(), prop::sample::select(vec!['+', '-', '*', '/', '%']), inner).prop_map(
                |(left, sign, right)| {
                    let (a, b) = (left.1, right.1);
                    let value = a.and_then(|a| b.map(|b| (a, b))).and_then(|(a, b)| {
                        match sign {
                            '+' => a.checked_add(b),
                            '-' => a.checked_sub(b),
                            '*' => a.checked_mul(b),
                            '/' => a.checked_div(b),
                            _ => a.checked_rem(b),
                        }
                        .ok_or(())
                    });
                    (format!("({}) {sign} ({})", left.0, right.0), value)
                },
            )
        })
    }

    /// `None`: the value could not be read.
    type Truth = (String, Option<bool>);

    fn truth() -> impl Strategy<Value = Truth> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(|value| (value.to_string(), Some(value))),
            Just(("delta.TcpExt.ListenOverflows > 0".to_owned(), None)),
        ];
        leaf.prop_recursive(5, 30, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|(text, value)| (format!("!({text})"), value.map(|value| !value))),
                (inner.clone(), inner.clone()).prop_map(|(left, right)| {
                    let value = match (left.1, right.1) {
                        (Some(false), _) | (_, Some(false)) => Some(false),
                        (Some(true), Some(true)) => Some(true),
                        _ => None,
                    };
                    (format!("({}) && ({})", left.0, right.0), value)
                }),
                (inner.clone(), inner).prop_map(|(left, right)| {
                    let value = match (left.1, right.1) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    };
                    (format!("({}) || ({})", left.0, right.0), value)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn numbers_are_exact_or_an_error((source, expected) in number()) {
            match (eval(&source), expected) {
                (Ok(value), Ok(expected)) => prop_assert_eq!(value, Value::Int(expected)),
                (Err(EvalError::Overflow(_) | EvalError::DivisionByZero(_)), Err(())) => {}
                other => prop_assert!(false, "{}: {:?}", source, other),
            }
        }

        #[test]
        fn a_missing_value_is_neither_true_nor_false((source, expected) in truth()) {
            let name = "delta.TcpExt.ListenOverflows";
            match (eval(&format!("({source}) && (true || has({name}))")), expected) {
                (Ok(value), Some(expected)) => prop_assert_eq!(value, Value::Bool(expected)),
                (Err(EvalError::Unread(unread)), None) => prop_assert_eq!(unread, name),
                other => prop_assert!(false, "{}: {:?}", source, other),
            }
        }
    }
}

#[test]
fn a_default_is_a_name_that_is_needed_only_where_evaluation_gets_to_it() {
    assert_eq!(eval("default('net.ipv4.tcp_rmem')[1] + 1"), Ok(Value::Int(131_073)));
    let unread = || EvalError::Unread("default(\"net.core.somaxconn\")".to_owned());
    for (condition, expected) in [
        (r#"tcp.time_wait > 300 && default("net.core.somaxconn") > 1"#, Ok(Value::Bool(false))),
        (r#"tcp.time_wait > 299 && default("net.core.somaxconn") > 1"#, Err(unread())),
        (r#"default("net.core.somaxconn") > 1 && tcp.time_wait > 300"#, Ok(Value::Bool(false))),
        (r#"has(default("net.core.somaxconn")) ? 1 : 2"#, Ok(Value::Int(2))),
        (r#"has(default("net.ipv4.tcp_rmem"))"#, Ok(Value::Bool(true))),
    ] {
        assert_eq!(eval(condition), expected, "{condition}");
    }
}

#[test]
fn an_effective_value_must_be_readable_where_the_evaluation_gets_to_it() {
    assert_eq!(eval(r#"effective("net.ipv4.conf.*.rp_filter") == 2"#), Ok(Value::Bool(true)));
    let unread = EvalError::Unread("effective(\"net.ipv6.conf.*.accept_ra\")".to_owned());
    assert_eq!(eval(r#"tcp.time_wait >= 0 && effective("net.ipv6.conf.*.accept_ra") == 1"#), Err(unread));
    assert_eq!(eval(r#"tcp.time_wait < 0 && effective("net.ipv6.conf.*.accept_ra") == 1"#), Ok(Value::Bool(false)));
    assert_eq!(eval(r#"has(effective("net.ipv6.conf.*.accept_ra"))"#), Ok(Value::Bool(false)));
    let (place, message) = error("effective('rp_filter') > 1");
    assert_eq!(place, "'rp_filter'");
    assert!(message.starts_with("effective() expects a key that each interface has for itself"), "{message}");
}

#[test]
fn a_default_is_asked_of_one_key_in_quotes() {
    let wanted = "default() expects the name of one key in quotes".to_owned();
    for wrong in ["default(net.ipv4.tcp_rmem)", "default()", "default('a.b', 'c.d')", "has(default(1))"] {
        assert_eq!(error(wrong).1, wanted, "{wrong}");
    }
    let (place, message) = error("1 + default('net.core.rmem_max')");
    assert_eq!(place, "'net.core.rmem_max'");
    assert!(message.ends_with("network namespace has for itself, but this is `net.core.rmem_max`"), "{message}");
}
