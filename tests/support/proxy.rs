//! What stands between masctl and PostgreSQL, and cuts the connection at COMMIT.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use super::postgres::server;

/// Whether the COMMIT still reaches the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It does not.
    Before,
    /// It does, and only the answer is lost.
    After,
}

/// A proxy in front of the server of the tests, for connections without TLS.
pub(crate) struct Proxy {
    /// Where it listens, on 127.0.0.1.
    pub(crate) port: u16,
    line: Arc<Line>,
}

struct Line {
    cut: Cut,
    refuses_then: bool,
    is_cut: AtomicBool,
    refused: AtomicUsize,
}

impl Proxy {
    /// Starts one. After the cut it lets new connections through, or drops each of them.
    pub(crate) fn start(cut: Cut, refuses_then: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let line = Arc::new(Line {
            cut,
            refuses_then,
            is_cut: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&line);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.accept(client);
            }
        });
        Self { port, line }
    }

    /// How many connections were dropped since the cut.
    pub(crate) fn refused(&self) -> usize {
        self.line.refused.load(Ordering::SeqCst)
    }
}

impl Line {
    fn accept(self: &Arc<Self>, client: TcpStream) {
        if self.refuses_then && self.is_cut.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let database = TcpStream::connect((server().host.as_str(), server().port)).expect("the server listens");
        let twins = (
            client.try_clone().expect("a socket can be shared"),
            database.try_clone().expect("a socket can be shared"),
        );
        let sending = Arc::clone(self);
        let is_old = Arc::new(AtomicBool::new(false));
        let was_cut = Arc::clone(&is_old);
        thread::spawn(move || {
            pump(client, database, |bytes| {
                let commits = bytes.windows(7).any(|window| window == b"COMMIT\0");
                if !commits || sending.is_cut.swap(true, Ordering::SeqCst) {
                    return true;
                }
                is_old.store(true, Ordering::SeqCst);
                sending.cut == Cut::After
            })
        });
        thread::spawn(move || pump(twins.1, twins.0, |_| !was_cut.load(Ordering::SeqCst)));
    }
}

/// Passes on what comes, until `lets_pass` says no: then both ends are closed.
fn pump(mut from: TcpStream, mut to: TcpStream, lets_pass: impl Fn(&[u8]) -> bool) -> io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut bytes)?;
        if count == 0 || !lets_pass(&bytes[..count]) {
            let _ = from.shutdown(Shutdown::Both);
            return to.shutdown(Shutdown::Both);
        }
        to.write_all(&bytes[..count])?;
    }
}
