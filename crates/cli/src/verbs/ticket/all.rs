//! Tickets for many tenants, a few at once: each is printed when it comes, and what fails is told and counted.

use std::time::Duration;

use soticket::{SystemUserClient, SystemUserTicket, Tenant, TicketCache};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::summary::{Kept, Tally};
use super::{Tickets, cache, list, printed};
use crate::args::{ManyArgs, StoreFlags, TicketFormat};
use crate::failure::{Exit, Failure};
use crate::interruption::{Interruption, interrupted};
use crate::output::{print_json, print_line};
use crate::settings::{Listed, Settings};
use crate::terminal::Progress;

pub(super) async fn run(
    settings: &Settings,
    store: &StoreFlags,
    many: &ManyArgs,
    tickets: Tickets,
    format: TicketFormat,
) -> Result<Exit, Failure> {
    if !matches!(format, TicketFormat::Text | TicketFormat::Json) {
        return Err(Failure::configuration(
            "--all prints one line a tenant; use --format text or --format json",
        ));
    }
    let pace = settings.pace(many)?;
    let listed = match &many.tenants {
        Some(path) => list::read(path)?,
        None => settings.listed_tenants()?,
    };
    let (listed, repeated) = list::each_once(listed);
    let store = settings.store(store)?;
    let kept = Kept::of(store.as_ref(), tickets);
    let client = settings.client(settings.signer().await?)?;
    // What a run that is killed has exchanged and not yet kept is then as many as run at once.
    let window = if store.is_some() { pace.parallel } else { pace.parallel * WINDOW };
    let round = Round {
        cache: cache(&client, store, pace.into(), window),
        progress: Progress::of(listed.len()),
        tally: Tally::of(listed.len(), repeated),
        begun: JoinSet::new(),
        window,
        client,
        tickets,
        format,
    };
    round.run(listed, &kept).await
}

/// One run over all tenants.
struct Round {
    client: SystemUserClient,
    cache: TicketCache,
    tickets: Tickets,
    format: TicketFormat,
    /// The tenants that are waited for; never many, however many there are.
    begun: JoinSet<(Tenant, Result<SystemUserTicket, Failure>)>,
    window: usize,
    tally: Tally,
    progress: Progress,
}

impl Round {
    async fn run(mut self, listed: Vec<Listed>, kept: &Kept) -> Result<Exit, Failure> {
        // Asked for first, so that an interruption that comes early is not missed.
        let mut interruption = Interruption::listen()?;
        let is_complete = tokio::select! {
            done = self.all_of(listed) => done.map(|()| true)?,
            () = interruption.wait() => false,
        };
        if !is_complete {
            self.finish_begun(&mut interruption).await?;
        }
        let Self { cache, tally, progress, .. } = self;
        drop(progress);
        tally.tell(&cache.statistics(), kept);
        if is_complete { Ok(tally.worst()) } else { Err(interrupted()) }
    }

    /// Can be dropped wherever it waits: what was begun goes on, and is finished by who comes next.
    async fn all_of(&mut self, listed: Vec<Listed>) -> Result<(), Failure> {
        for Listed { tenant, .. } in listed {
            match tenant {
                Ok(tenant) => self.begin(tenant),
                Err(failure) => self.failed(failure),
            }
            while self.begun.len() >= self.window {
                self.one_ended().await?;
            }
        }
        while !self.begun.is_empty() {
            self.one_ended().await?;
        }
        Ok(())
    }

    /// No others are begun; those that were cost an exchange already, and are given a moment.
    async fn finish_begun(&mut self, interruption: &mut Interruption) -> Result<(), Failure> {
        let deadline = Instant::now() + GRACE;
        while !self.begun.is_empty() {
            tokio::select! {
                ended = self.one_ended() => ended?,
                () = sleep_until(deadline) => return Ok(()),
                () = interruption.wait() => return Ok(()),
            }
        }
        Ok(())
    }

    fn begin(&mut self, tenant: Tenant) {
        let (cache, tickets) = (self.cache.clone(), self.tickets);
        self.begun.spawn(async move {
            let ticket = tickets.get(&cache, &tenant).await;
            (tenant, ticket)
        });
    }

    async fn one_ended(&mut self) -> Result<(), Failure> {
        match self.begun.join_next().await {
            None => Ok(()),
            Some(Ok((tenant, Ok(ticket)))) => self.got(&tenant, &ticket),
            Some(Ok((tenant, Err(failure)))) => {
                self.failed(failure.about(tenant.context().as_str()));
                Ok(())
            }
            Some(Err(error)) => {
                self.failed(not_ended(&error));
                Ok(())
            }
        }
    }

    fn got(&mut self, tenant: &Tenant, ticket: &SystemUserTicket) -> Result<(), Failure> {
        match self.format {
            TicketFormat::Json => print_json(&printed::as_json(&self.client, tenant, ticket))?,
            _ => print_line(&format!("{}\t{}", tenant.context(), ticket.expose()))?,
        }
        self.tally.got();
        self.progress.step(self.tally.failed());
        Ok(())
    }

    fn failed(&mut self, failure: Failure) {
        failure.report();
        self.tally.fail(&failure);
        self.progress.step(self.tally.failed());
    }
}

fn not_ended(error: &JoinError) -> Failure {
    Failure::new(Exit::Unexpected, "a tenant's exchange did not come to its end; report it").with_cause(error)
}

/// How many tenants are waited for, for each exchange that runs: enough that those that hang hold up nobody.
const WINDOW: usize = 4;

/// How long an interrupted run waits for what it has begun; a second interruption ends it at once.
const GRACE: Duration = Duration::from_secs(10);
