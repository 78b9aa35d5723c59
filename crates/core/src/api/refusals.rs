//! When a 401 or 403 is about the ticket, so that another is worth an exchange, and when it is not.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;

use super::moment::Moment;
use crate::ticket::SystemUserTicket;

/// What is remembered of one tenant's refused tickets.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    unauthorized: Memory,
    forbidden: Memory,
    /// The last ticket that was given up soon after its issue.
    given_up: Option<(SystemUserTicket, Moment)>,
}

/// That a new ticket was answered as the old one, and so may be the next.
#[derive(Debug, Default)]
struct Memory {
    since: Moment,
    times: u32,
}

impl Refusals {
    /// Whether to give up `ticket`, which was answered with `status`, for another.
    pub(crate) fn may_give_up(
        &mut self,
        ticket: &SystemUserTicket,
        status: StatusCode,
        now: Timestamp,
    ) -> bool {
        if self.memory(status).holds(base_of(status), now) {
            return false;
        }
        if !Moment::of(ticket.issued_at()).is_within(YOUNG, now) {
            return true;
        }
        // Late answers to the same ticket are one and the same matter.
        let another = self.given_up.as_ref().filter(|(given_up, _)| !given_up.is_same_as(ticket));
        if another.is_some_and(|(_, at)| at.is_within(YOUNG, now)) {
            return false;
        }
        self.given_up = Some((ticket.clone(), Moment::of(now)));
        true
    }

    /// A new ticket was answered with `status` too, so that is not about tickets.
    pub(crate) fn was_no_help(&mut self, status: StatusCode, now: Timestamp) {
        let memory = self.memory(status);
        // Calls at the same time learn the same thing.
        if !memory.holds(base_of(status), now) {
            memory.since = Moment::of(now);
            memory.times = memory.times.saturating_add(1);
        }
    }

    /// A new ticket was taken where the old one was not.
    pub(crate) fn was_of_help(&mut self, status: StatusCode) {
        *self.memory(status) = Memory::default();
    }

    fn memory(&mut self, status: StatusCode) -> &mut Memory {
        if status == StatusCode::FORBIDDEN { &mut self.forbidden } else { &mut self.unauthorized }
    }
}

impl Memory {
    fn holds(&self, base: Duration, now: Timestamp) -> bool {
        let doublings = self.times.saturating_sub(1).min(16);
        self.since.is_within(base.saturating_mul(1 << doublings).min(MAX_MEMORY), now)
    }
}

pub(crate) fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

fn base_of(status: StatusCode) -> Duration {
    if status == StatusCode::FORBIDDEN { FORBIDDEN_MEMORY } else { UNAUTHORIZED_MEMORY }
}

/// For how long a 403 is not taken for an ended ticket after a new ticket got one too; doubled each time, up to
/// [`MAX_MEMORY`].
pub(crate) const FORBIDDEN_MEMORY: Duration = Duration::from_secs(10 * 60);
/// The same for a 401.
pub(crate) const UNAUTHORIZED_MEMORY: Duration = Duration::from_secs(60);
/// For how long at the most.
pub(crate) const MAX_MEMORY: Duration = Duration::from_secs(60 * 60);
/// Of tickets that were issued more recently than this, a tenant gives up one in this time.
pub(crate) const YOUNG: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretText;
    use crate::ticket::{Claims, DEFAULT_TICKET_LIFETIME};
    use jiff::SignedDuration;

    fn at(elapsed: Duration) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::try_from(elapsed).unwrap()
    }

    fn ticket(issued: Duration) -> SystemUserTicket {
        let text = format!("7T:{}", issued.as_millis());
        let secret = "app-secret".parse().unwrap();
        let claims = Claims::new(serde_json::Map::new());
        SystemUserTicket::new(SecretText::new(text), secret, claims, at(issued), DEFAULT_TICKET_LIFETIME)
            .unwrap()
    }

    const START: Duration = Duration::from_secs(7 * 60 * 60);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_a_new_ticket_does_not_cure_is_left_alone_for_longer_each_time_up_to_a_limit() {
        for (status, base) in
            [(StatusCode::FORBIDDEN, FORBIDDEN_MEMORY), (StatusCode::UNAUTHORIZED, UNAUTHORIZED_MEMORY)]
        {
            let mut refusals = Refusals::default();
            let old = ticket(Duration::ZERO);
            let mut now = START;
            let mut memory = base;
            for _ in 0..20 {
                assert!(refusals.may_give_up(&old, status, at(now)));
                refusals.was_no_help(status, at(now));
                refusals.was_no_help(status, at(now + SECOND));
                assert!(!refusals.may_give_up(&old, status, at(now + memory - SECOND)));
                now += memory;
                memory = (memory * 2).min(MAX_MEMORY);
            }
            assert!(refusals.may_give_up(&old, status, at(now)));
            refusals.was_of_help(status);
            refusals.was_no_help(status, at(now));
            assert!(refusals.may_give_up(&old, status, at(now + base)), "it begins anew");
        }
    }

    #[test]
    fn what_is_known_of_one_status_says_nothing_of_the_other() {
        let mut refusals = Refusals::default();
        refusals.was_no_help(StatusCode::FORBIDDEN, at(START));
        assert!(refusals.may_give_up(&ticket(Duration::ZERO), StatusCode::UNAUTHORIZED, at(START)));
        assert!(!refusals.may_give_up(&ticket(Duration::ZERO), StatusCode::FORBIDDEN, at(START)));
    }

    #[test]
    fn of_young_tickets_one_is_given_up_in_a_while() {
        let mut refusals = Refusals::default();
        let first = ticket(START);
        let second = ticket(START + SECOND);
        let mut may = |ticket, now| refusals.may_give_up(ticket, StatusCode::UNAUTHORIZED, at(now));
        assert!(may(&first, START + SECOND));
        assert!(may(&first, START + SECOND), "who comes late with the same one is heard");
        assert!(!may(&second, START + 2 * SECOND));
        assert!(may(&second, START + SECOND + YOUNG));
    }
}
