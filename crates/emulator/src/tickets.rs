//! The tickets that are good: those that have ended make room for new ones.

use std::collections::HashMap;

use jiff::Timestamp;

/// A ticket that was issued.
pub(crate) struct Issued {
    pub(crate) context: String,
    pub(crate) application: String,
    pub(crate) ends: Timestamp,
}

/// The issued tickets by their texts.
pub(crate) struct Tickets {
    issued: HashMap<String, Issued>,
    /// With how many it is worth to look for those that have ended.
    crowded: usize,
}

impl Tickets {
    pub(crate) fn insert(&mut self, ticket: String, issued: Issued, now: Timestamp) {
        self.issued.insert(ticket, issued);
        if self.issued.len() >= self.crowded {
            self.issued.retain(|_, issued| issued.ends > now);
            self.crowded = CROWDED.max(2 * self.issued.len());
        }
    }

    pub(crate) fn get_mut(&mut self, ticket: &str) -> Option<&mut Issued> {
        self.issued.get_mut(ticket)
    }

    /// Ends the tickets of one tenant, and says how many they were.
    pub(crate) fn end(&mut self, context: &str) -> usize {
        let before = self.issued.len();
        self.issued.retain(|_, issued| !issued.context.eq_ignore_ascii_case(context));
        before - self.issued.len()
    }
}

impl Default for Tickets {
    fn default() -> Self {
        Self { issued: HashMap::new(), crowded: CROWDED }
    }
}

/// How many tickets are kept before any is looked at.
const CROWDED: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(tickets: &mut Tickets, number: usize, now: i64) {
        let ends = Timestamp::from_second(now + 10).unwrap();
        let issued = Issued { context: format!("Cust{}", number % 2), application: "app".into(), ends };
        tickets.insert(number.to_string(), issued, Timestamp::from_second(now).unwrap());
    }

    #[test]
    fn ended_tickets_make_room_and_good_ones_stay() {
        let mut tickets = Tickets::default();
        for number in 0..10 * CROWDED {
            insert(&mut tickets, number, number as i64);
        }
        assert!(tickets.issued.len() <= CROWDED);
        for number in 0..2 * CROWDED {
            insert(&mut tickets, number, 0);
        }
        assert!((0..2 * CROWDED).all(|number| tickets.get_mut(&number.to_string()).is_some()));
    }

    #[test]
    fn a_tenants_tickets_are_ended_whatever_the_case_of_its_name() {
        let mut tickets = Tickets::default();
        for number in 0..5 {
            insert(&mut tickets, number, 0);
        }
        assert_eq!(tickets.end("CUST1"), 2);
        assert!(tickets.get_mut("1").is_none() && tickets.get_mut("2").is_some());
    }
}
