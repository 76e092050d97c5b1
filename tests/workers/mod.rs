//! `masctl::operations::worker`: what it does to a store and to its homeserver, and what happens to it.

mod deeds; // what each job does
mod double; // a homeserver that lets a test act while it is asked
mod lives; // how a worker begins, goes on and ends

use std::sync::{Arc, Mutex, PoisonError};

use masctl::{
    config::{HomeserverKind, Matrix},
    error::Result,
    homeserver::{self, Homeserver},
    operations::{
        Interrupt, World,
        worker::{Parts, Summary, work},
    },
};

use crate::support::{homeserver::SECRET, specimen::Specimen};

/// Ids of jobs in their order. They were queued before the fixed worlds began.
const JOBS: [&str; 4] = [
    "01DWT600000000000000000J0A",
    "01DWT600000000000000000J0B",
    "01DWT600000000000000000J0C",
    "01DWT600000000000000000J0D",
];

/// What a worker told.
type Told = Arc<Mutex<Vec<String>>>;

/// The parts of a worker on the store, in the fixed world `number`.
fn parts(specimen: &Specimen, homeserver: Arc<dyn Homeserver>, number: u32) -> (Parts, Told) {
    let told = Told::default();
    let told_to = told.clone();
    let parts = Parts {
        database: specimen.database(),
        homeserver,
        world: World::fixed(number),
        interrupt: Arc::new(Interrupt::default()),
        once: true,
        tell: Box::new(move |event| {
            let mut told = told_to.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(event.sentence());
        }),
    };
    (parts, told)
}

/// masctl's client of the homeserver of the store.
fn client(specimen: &Specimen) -> Arc<dyn Homeserver> {
    homeserver::connect(&Matrix {
        kind: HomeserverKind::Synapse,
        homeserver: "example.com".to_owned(),
        endpoint: specimen.homeserver().endpoint().parse().expect("a URL"),
        secret: SECRET.into(),
    })
}

/// Works until nothing is left to do.
async fn work_once(specimen: &Specimen, number: u32) -> (Result<Summary>, Vec<String>) {
    let (parts, told) = parts(specimen, client(specimen), number);
    let summary = work(&parts).await;
    (summary, lines(&told))
}

/// What was told but the first line, which names the worker.
fn lines(told: &Told) -> Vec<String> {
    told.lock().unwrap_or_else(PoisonError::into_inner)[1..].to_vec()
}

/// Queues a job as MAS does.
fn add_job(specimen: &Specimen, ulid: &str, queue: &str, payload: &str) {
    specimen.seed(&format!(
        "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, created_at) \
         VALUES ({{ulid:{ulid}}}, '{queue}', '{payload}', '2019-12-23T23:51:20+00:00')"
    ));
}

/// The statuses of all jobs, in their order.
fn statuses(specimen: &Specimen) -> Vec<String> {
    specimen.rows("SELECT queue_name, status, attempt FROM queue_jobs ORDER BY queue_job_id")
}
