//! What a summary says.

use super::*;

fn failure(sort: &str, tenant: &str) -> Failure {
    Failure::new(Exit::Refused, sort).about(tenant)
}

fn lines(tally: &Tally, kept: &Kept) -> String {
    tally.told_causes().into_iter().chain(tally.how_to_go_on(kept)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_most_frequent_cause_comes_first_with_an_example() {
    let mut tally = Tally::of(4, 0);
    tally.got();
    for (sort, tenant) in [("no", "Cust1"), ("never, Cust2", "Cust2"), ("never, Cust3", "Cust3")] {
        tally.fail(&failure(sort, tenant));
    }
    let text = lines(&tally, &Kept::In("in `tickets`".into()));
    assert_eq!(
        text,
        "      2 × never, … (such as Cust2)\n      1 × no (Cust1)\n\
         to go on, run the same command again: what was got is kept in `tickets`, and not exchanged again"
    );
    assert_eq!(tally.worst(), Exit::Refused);
}

#[test]
fn causes_beyond_those_that_anybody_reads_are_counted() {
    let mut tally = Tally::of(100, 0);
    for number in 0..=MAX_CAUSES {
        tally.fail(&failure(&format!("cause {number:02}"), "Cust1"));
    }
    tally.fail(&failure("cause 10", "Cust1"));
    let text = lines(&tally, &Kept::In("in `tickets`".into()));
    assert!(text.starts_with("      2 × cause 10") && text.contains("1 × for 1 other causes"), "{text}");
}

#[test]
fn a_complete_run_says_nothing_of_another_unless_nothing_is_kept() {
    let mut tally = Tally::of(1, 0);
    tally.got();
    assert_eq!(lines(&tally, &Kept::In("in `tickets`".into())), "");
    assert!(lines(&tally, &Kept::Nowhere).contains("--store"));
}
