//! What waits and what runs: plain bookkeeping, under one lock and without a call to the module.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use soticket_core::Signature;
use tokio::sync::oneshot;

use crate::breaker::Asker;
use crate::fault::Fault;
use crate::mechanism::Payload;

/// A request for a signature.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) payload: Payload,
    pub(super) until: Instant,
    pub(super) answer: Answer,
    pub(super) asker: Asker,
}

/// Where the answer goes: to whoever answers first, the thread that signs or the deadline.
#[derive(Debug, Clone)]
pub(super) struct Answer(Arc<Mutex<Option<Sender>>>);

type Sender = oneshot::Sender<Result<Signature, Fault>>;

impl Answer {
    pub(super) fn new(sender: Sender) -> Self {
        Self(Arc::new(Mutex::new(Some(sender))))
    }

    /// For a request that nobody waits for.
    pub(super) fn to_nobody() -> Self {
        Self(Arc::default())
    }

    pub(super) fn give(&self, outcome: Result<Signature, Fault>) {
        if let Some(sender) = self.0.lock().take() {
            // Whoever asked may have gone.
            let _ = sender.send(outcome);
        }
    }

    fn is_awaited(&self) -> bool {
        self.0.lock().as_ref().is_some_and(|sender| !sender.is_closed())
    }
}

/// A signing thread, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct WorkerId(u64);

#[derive(Debug, Default)]
struct Worker {
    thread: Option<JoinHandle<()>>,
    wake: Arc<Condvar>,
    running: Option<Running>,
    lost: bool,
}

/// What a thread is inside the module for.
#[derive(Debug)]
struct Running {
    until: Instant,
    asker: Asker,
    answer: Answer,
}

/// What a thread is to do next.
#[derive(Debug)]
pub(super) enum Next {
    Sign(Box<Job>),
    Wait(Arc<Condvar>),
    End,
}

#[derive(Debug, Default)]
pub(super) struct State {
    jobs: VecDeque<Job>,
    workers: HashMap<WorkerId, Worker>,
    /// Those that wait for work; the last one to come is the first to go, since its session is the freshest.
    idle: Vec<WorkerId>,
    supervisor: Option<JoinHandle<()>>,
    supervisor_waits_for_work: bool,
    ended: Vec<JoinHandle<()>>,
    last_id: u64,
    /// The most threads that the token has sessions for, as far as was learned, and until when that is believed.
    shrunk: Option<(usize, Instant)>,
    closed: bool,
}

impl State {
    pub(super) fn push(&mut self, job: Job) {
        self.jobs.push_back(job);
    }

    pub(super) fn push_front(&mut self, job: Job) {
        self.jobs.push_front(job);
    }

    pub(super) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn live(&self) -> usize {
        self.workers.values().filter(|worker| !worker.lost).count()
    }

    pub(super) fn lost(&self) -> usize {
        self.workers.values().filter(|worker| worker.lost).count()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many threads there may be, of at most `limit`.
    pub(super) fn most(&self, limit: usize, now: Instant) -> usize {
        self.shrunk.filter(|(_, until)| now < *until).map_or(limit, |(most, _)| most.min(limit))
    }

    /// Makes do with one thread fewer, until `until`.
    pub(super) fn shrink(&mut self, until: Instant) {
        self.shrunk = Some((self.live().saturating_sub(1).max(1), until));
    }

    /// Wakes a thread that waits, if there is one.
    pub(super) fn wake_one(&mut self) -> bool {
        let woken = self.idle.pop().and_then(|id| self.workers.get(&id));
        woken.inspect(|worker| _ = worker.wake.notify_one()).is_some()
    }

    pub(super) fn new_worker(&mut self) -> WorkerId {
        self.last_id += 1;
        let id = WorkerId(self.last_id);
        self.workers.insert(id, Worker::default());
        id
    }

    /// A thread enters the module without a request.
    pub(super) fn busy(&mut self, id: WorkerId, until: Instant) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.running = Some(Running { until, asker: Asker::Caller, answer: Answer::to_nobody() });
        }
    }

    pub(super) fn started(&mut self, id: WorkerId, thread: JoinHandle<()>) {
        match self.workers.get_mut(&id) {
            Some(worker) => worker.thread = Some(thread),
            None => self.ended.push(thread),
        }
    }

    /// What a thread is to do next. If there is nothing, it counts as waiting from now on.
    pub(super) fn next(&mut self, id: WorkerId) -> Next {
        if self.closed {
            return Next::End;
        }
        while let Some(job) = self.jobs.pop_front() {
            if job.asker == Asker::Caller && !job.answer.is_awaited() {
                continue;
            }
            self.idle.retain(|idle| *idle != id);
            if let Some(worker) = self.workers.get_mut(&id) {
                let (until, asker, answer) = (job.until, job.asker, job.answer.clone());
                worker.running = Some(Running { until, asker, answer });
            }
            // A thread that was woken for it may have been on its way to another request.
            if !self.jobs.is_empty() {
                self.wake_one();
            }
            return Next::Sign(Box::new(job));
        }
        self.rest(id);
        match self.workers.get(&id) {
            Some(worker) => Next::Wait(Arc::clone(&worker.wake)),
            None => Next::End,
        }
    }

    /// A thread has come back from the module; `true` if it was given up for lost.
    pub(super) fn came_back(&mut self, id: WorkerId) -> bool {
        let Some(worker) = self.workers.get_mut(&id) else { return false };
        worker.running = None;
        std::mem::take(&mut worker.lost)
    }

    fn rest(&mut self, id: WorkerId) {
        if !self.idle.contains(&id) {
            self.idle.push(id);
        }
    }

    pub(super) fn retire(&mut self, id: WorkerId) {
        self.idle.retain(|idle| *idle != id);
        self.ended.extend(self.workers.remove(&id).and_then(|worker| worker.thread));
    }

    /// Takes the requests out that waited until their deadline.
    pub(super) fn overdue_jobs(&mut self, now: Instant) -> Vec<Job> {
        let (overdue, left) = self.jobs.drain(..).partition(|job: &Job| job.until <= now);
        self.jobs = left;
        overdue.into_iter().collect()
    }

    /// Takes the callers' requests out that wait.
    pub(super) fn take_callers(&mut self) -> Vec<Job> {
        let (callers, left) = self.jobs.drain(..).partition(|job: &Job| job.asker == Asker::Caller);
        self.jobs = left;
        callers.into_iter().collect()
    }

    /// Gives the threads up for lost that are inside the module since before their request's deadline.
    pub(super) fn overdue_workers(&mut self, now: Instant) -> Vec<(Asker, Answer)> {
        let overdue = self.workers.values_mut().filter_map(|worker| {
            let running = worker.running.as_ref().filter(|running| running.until <= now && !worker.lost)?;
            worker.lost = true;
            Some((running.asker, running.answer.clone()))
        });
        overdue.collect()
    }

    /// When the next deadline is.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.jobs.iter().map(|job| job.until);
        let running = self.workers.values().filter(|worker| !worker.lost);
        waiting.chain(running.filter_map(|worker| Some(worker.running.as_ref()?.until))).min()
    }

    pub(super) fn has_supervisor(&self) -> bool {
        self.supervisor.is_some()
    }

    pub(super) fn set_supervisor(&mut self, thread: JoinHandle<()>) {
        self.supervisor = Some(thread);
    }

    pub(super) fn supervisor_ends(&mut self) {
        self.ended.extend(self.supervisor.take());
    }

    /// Whether the supervisor waits for the first request, and has to be told of one; it is told once.
    pub(super) fn take_supervisors_wait(&mut self) -> bool {
        std::mem::take(&mut self.supervisor_waits_for_work)
    }

    pub(super) fn supervisor_waits(&mut self) {
        self.supervisor_waits_for_work = true;
    }

    /// No further work: what waits is dropped, and who waits is woken to end.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.jobs.clear();
        while self.wake_one() {}
    }

    /// Whether every thread has ended that is not lost.
    pub(super) fn all_ended(&self) -> bool {
        self.live() == 0 && self.supervisor.is_none()
    }

    pub(super) fn take_ended(&mut self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.ended)
    }
}
