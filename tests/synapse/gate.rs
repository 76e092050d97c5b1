//! What stands between masctl and Synapse: a gate that keeps a call waiting until a test lets it through, and a road on
//! which some calls are slow.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use crate::support::synapse::synapse;

/// How long a call may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// How much later calls arrive that take the road, in turn: long enough for others to be faster.
const DELAYS: [u64; 7] = [0, 40, 5, 0, 80, 20, 10];

/// A gate for one connection.
pub(super) struct Gate {
    endpoint: String,
    arrived: Receiver<()>,
    opened: Sender<()>,
}

impl Gate {
    /// A gate that is closed.
    pub(super) fn closed() -> Self {
        let (listener, endpoint) = listen();
        let (arrive, arrived) = mpsc::channel();
        let (opened, open) = mpsc::channel();
        thread::spawn(move || {
            let (client, _) = listener.accept()?;
            // Whoever waits for it says that nothing came.
            let _ = arrive.send(());
            let _ = open.recv();
            join(client, no_delay)
        });
        Self {
            endpoint,
            arrived,
            opened,
        }
    }

    /// The URL on this side of it.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Waits until somebody stands before it.
    pub(super) fn wait(&self) {
        self.arrived.recv_timeout(PATIENCE).expect("a call comes");
    }

    /// Lets through who stands before it.
    pub(super) fn open(&self) {
        self.opened.send(()).expect("somebody stands before it");
    }
}

/// The URL of a road to Synapse on which calls overtake each other. It is there until this process ends.
pub(super) fn road() -> String {
    let (listener, endpoint) = listen();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || join(client, next_delay));
        }
    });
    endpoint
}

/// One connection may carry many calls, so each of them has a delay of its own.
fn next_delay() -> Duration {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let at = CALLS.fetch_add(1, Ordering::Relaxed) % DELAYS.len();
    Duration::from_millis(DELAYS[at])
}

fn no_delay() -> Duration {
    Duration::ZERO
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    (listener, format!("http://{address}/"))
}

/// Passes on what a client and Synapse say, until both have hung up. What the client says arrives later by the delay.
fn join(client: TcpStream, delay: fn() -> Duration) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", synapse().port()))?;
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let there = thread::spawn(move || pass_on(from, to, delay));
    pass_on(server, client, no_delay)?;
    there.join().unwrap_or(Ok(()))
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, delay: fn() -> Duration) -> io::Result<()> {
    let mut part = [0; 4096];
    loop {
        let length = from.read(&mut part)?;
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        thread::sleep(delay());
        to.write_all(&part[..length])?;
    }
}
