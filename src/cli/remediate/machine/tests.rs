//! Whatever is pressed, no answer is lost, and what is moot follows from the answers alone.

use proptest::prelude::*;

use super::*;
use crate::cli::remediate::decisions::tests::{change, finding};

/// An item that is called `name`: safe (`*`), one that cannot last (`~`), one without a change (`!`), or another decision.
pub(crate) fn item(kind: char, name: &str) -> Item<'static> {
    let found = Box::leak(Box::new(finding(name)));
    let changes = if kind == '!' { Vec::new() } else { vec![change(&format!("net.ipv4.{name}"), "1", &[found])] };
    let passes = (kind == '~').then(|| "no boot sets up this network namespace.".to_owned());
    Item { findings: vec![found], changes, left_out: Vec::new(), passes, is_safe: kind == '*' }
}

/// A machine with these items, such as `*a`; `ends`: by its place, which others an item ends when it is made permanent (`true`)
/// or not.
fn machine(items: &[&str], ends: &'static [(usize, bool, &'static [usize])]) -> Machine<'static> {
    let items: Vec<Item<'_>> = items.iter().map(|it| item(it.chars().next().unwrap_or('?'), &it[1..])).collect();
    let prints: Vec<String> = items.iter().flat_map(Item::fingerprints).map(str::to_owned).collect();
    let ended = move |place, lasts| {
        let of = ends.iter().filter(move |(by, when, _)| (*by, *when) == (place, lasts));
        of.flat_map(|(.., others)| others.iter()).map(|other| prints[*other].clone()).collect()
    };
    Machine::new(items, Ends::new(ended))
}

type Go = fn(&mut Machine<'static>);

use Step::{Others, Start, Summary};

const ALL: &[&str] = &["*a", "*b", "?c", "~d", "?e", "!f", "!g"];

#[test]
fn one_question_for_what_is_safe_one_for_each_other_decision_one_list_and_the_summary() {
    let mut machine = machine(ALL, &[]);
    assert_eq!(machine.steps(), [Start, Step::Item(2), Step::Item(3), Step::Item(4), Others, Summary]);
    machine.ask_each();
    assert_eq!((machine.at(), machine.count()), (Step::Item(0), (1, 5)));
    assert_eq!(machine.steps().len(), 8);
    machine.back();
    machine.answer_safe(&Answer::Apply);
    assert_eq!((machine.at(), machine.count()), (Step::Item(2), (1, 3)));
    assert_eq!(machine.answer_to(1), Some(&Answer::Apply));
}

#[test]
fn what_cannot_last_is_applied_to_the_running_system() {
    let mut machine = machine(&["~a", "!b"], &[]);
    machine.forward();
    machine.answer(Answer::Apply);
    assert_eq!(machine.answer_to(0), Some(&Answer::Runtime));
    machine.give(1, Answer::Apply);
    assert_eq!(machine.answer_to(1), None, "there is nothing to apply");
}

#[test]
fn what_an_answer_ends_is_not_asked_and_comes_back_with_another_answer() {
    let mut machine = machine(&["?a", "?b", "?c", "!d"], &[(0, true, &[1, 3]), (1, true, &[2]), (0, false, &[3])]);
    machine.forward();
    machine.answer(Answer::Apply);
    assert_eq!(machine.at(), Step::Item(2), "b is moot");
    assert_eq!(machine.steps(), [Start, Step::Item(0), Step::Item(2), Summary], "and so is d");
    machine.back();
    machine.answer(Answer::Runtime);
    assert_eq!(machine.at(), Step::Item(1));
    machine.answer(Answer::Apply);
    assert_eq!(machine.at(), Summary, "b ends c");
    // b keeps its answer while it is moot, which ends nothing and is not written.
    machine.pick(0);
    machine.answer(Answer::Apply);
    assert_eq!(machine.moot(), [1, 3].into());
    assert_eq!(machine.effective(), [(0, &Answer::Apply)]);
    assert_eq!(machine.answer_to(1), Some(&Answer::Apply));
}

#[test]
fn an_item_that_was_picked_leads_back_to_its_list() {
    let mut machine = machine(ALL, &[]);
    for leave in [Machine::forward as Go, Machine::back] {
        machine.at = Summary;
        machine.pick(1);
        assert!(machine.is_picked());
        leave(&mut machine);
        assert_eq!((machine.at(), machine.answer_to(1)), (Summary, None));
    }
    machine.at = Others;
    machine.pick(6);
    machine.answer(Answer::Skip);
    assert_eq!((machine.at(), machine.listed()), (Others, vec![0, 1, 2, 3, 4, 6]));
    machine.pick(99);
    assert_eq!(machine.at(), Others);
}

#[test]
fn a_conversation_goes_on_at_its_first_open_question() {
    let mut machine = machine(ALL, &[]);
    machine.give(0, Answer::Apply);
    machine.resume();
    assert_eq!(machine.at(), Start, "b is open");
    for place in [1, 2, 4] {
        machine.give(place, Answer::Skip);
    }
    machine.resume();
    assert_eq!(machine.at(), Step::Item(3));
    machine.give(3, Answer::Skip);
    machine.resume();
    assert_eq!(machine.at(), Summary);
    machine.throw_away();
    assert_eq!((machine.at(), machine.answers().count()), (Start, 0));
}

/// What a person may do on any screen.
#[derive(Debug, Clone)]
enum Act {
    Forward,
    Back,
    Each,
    Pick(usize),
    Answer(Answer),
    Safe(Answer),
}

fn answers() -> impl Strategy<Value = Answer> {
    let until = "2030-01-01".parse().unwrap();
    let accepted = Accepted { reason: "r".into(), who: "w".into(), until };
    prop_oneof![Just(Answer::Apply), Just(Answer::Runtime), Just(Answer::Skip), Just(Answer::Waive(accepted))]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => Just(Act::Forward),
        2 => Just(Act::Back),
        1 => Just(Act::Each),
        1 => (0..8_usize).prop_map(Act::Pick),
        4 => answers().prop_map(Act::Answer),
        1 => answers().prop_map(Act::Safe),
    ];
    proptest::collection::vec(act, 0..40)
}

/// Circles and chains of items that end each other.
const TANGLED: &[(usize, bool, &[usize])] = &[
    (0, true, &[1, 5]),
    (1, true, &[0, 2]),
    (2, true, &[3]),
    (2, false, &[4]),
    (4, true, &[2, 6]),
    (3, false, &[4, 5]),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_is_lost_or_doubled_and_what_is_moot_is_a_function_of_the_answers(acts in acts()) {
        let mut machine = machine(ALL, TANGLED);
        let mut expected: BTreeMap<usize, Answer> = BTreeMap::new();
        for act in acts {
            let mut note = |place: usize, answer: &Answer| {
                let kind = ALL[place].chars().next();
                match (kind, answer) {
                    (Some('!'), answer) if answer.writes() => None,
                    (Some('~'), Answer::Apply) => expected.insert(place, Answer::Runtime),
                    _ => expected.insert(place, answer.clone()),
                }
            };
            match act {
                Act::Forward => machine.forward(),
                Act::Back => machine.back(),
                Act::Each if machine.at() == Start => machine.ask_each(),
                Act::Pick(place) if matches!(machine.at(), Summary | Others) => machine.pick(place),
                Act::Answer(answer) => {
                    if let Step::Item(place) = machine.at() {
                        note(place, &answer);
                    }
                    machine.answer(answer);
                }
                Act::Safe(answer) if machine.at() == Start => {
                    [0, 1].iter().for_each(|place| _ = note(*place, &answer));
                    machine.answer_safe(&answer);
                }
                _ => {}
            }
            prop_assert_eq!(&machine.answers, &expected);
            let steps = machine.steps();
            prop_assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", steps);

            let mut fresh = self::machine(ALL, TANGLED);
            expected.iter().for_each(|(place, answer)| fresh.give(*place, answer.clone()));
            fresh.each = machine.each;
            prop_assert_eq!(machine.moot(), fresh.moot());
            prop_assert_eq!(steps, fresh.steps());
        }
        // From wherever it is, forward leads to the summary by all questions, and back to the start.
        let before = machine.answers.clone();
        for (go, end) in [(Machine::forward as Go, Summary), (Machine::back, Start), (Machine::forward, Summary)] {
            let mut seen = 0;
            while machine.at() != end {
                go(&mut machine);
                seen += 1;
                prop_assert!(seen <= machine.steps().len() + 1);
            }
        }
        prop_assert_eq!(machine.answers, before);
    }
}
