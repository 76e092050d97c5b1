//! What stands between masctl and Synapse, and keeps a call waiting until a test lets it through.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use crate::support::synapse::synapse;

/// How long a call may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// A gate for one connection.
pub(super) struct Gate {
    port: u16,
    arrived: Receiver<()>,
    opened: Sender<()>,
}

impl Gate {
    /// A gate that is closed.
    pub(super) fn closed() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let (arrive, arrived) = mpsc::channel();
        let (opened, open) = mpsc::channel();
        thread::spawn(move || {
            let (client, _) = listener.accept()?;
            // Whoever waits for it says that nothing came.
            let _ = arrive.send(());
            let _ = open.recv();
            join(client, TcpStream::connect(("127.0.0.1", synapse().port()))?)
        });
        Self { port, arrived, opened }
    }

    /// Its base URL.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
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

/// Passes on what each of the two says, until both have hung up.
fn join(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let there = thread::spawn(move || pass_on(from, to));
    pass_on(server, client)?;
    there.join().unwrap_or(Ok(()))
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let mut part = [0; 4096];
    loop {
        let length = from.read(&mut part)?;
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        to.write_all(&part[..length])?;
    }
}
