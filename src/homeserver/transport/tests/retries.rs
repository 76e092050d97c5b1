//! What is sent a second time, and what is not.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

use super::{clients, *};

/// What becomes of one connection.
#[derive(Clone, Copy)]
enum Fate {
    /// It is closed once the request is there.
    Lost,
    /// It is closed in the middle of the answer.
    Cut,
    /// It is answered.
    Answered(&'static str),
}

const DONE: Fate = Fate::Answered("HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
const BUSY: Fate = Fate::Answered(
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 23\r\nConnection: close\r\n\r\n{\"errcode\":\"M_UNKNOWN\"}",
);

/// Listens on a port, lets each connection meet its fate, and returns how many there were once no more is expected.
fn listen(listener: TcpListener, fates: &'static [Fate]) -> JoinHandle<usize> {
    thread::spawn(move || {
        for fate in fates {
            let (stream, _) = listener.accept().unwrap();
            meet(stream, *fate);
        }
        // One more would come after the pause at the latest.
        listener.set_nonblocking(true).unwrap();
        thread::sleep(2 * RETRY_PAUSE);
        fates.len() + usize::from(listener.accept().is_ok())
    })
}

fn meet(mut stream: TcpStream, fate: Fate) {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).unwrap();
        assert_ne!(count, 0, "a request ends with its body");
        request.extend_from_slice(&bytes[..count]);
    }
    let answer = match fate {
        Fate::Lost => "",
        Fate::Cut => "HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n{}",
        Fate::Answered(answer) => answer,
    };
    stream.write_all(answer.as_bytes()).unwrap();
}

fn bound() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// Makes a device on a homeserver that treats connections so, with each client. Returns how it ended.
async fn upsert(fates: &'static [Fate]) -> Vec<Result<()>> {
    let mut results = Vec::new();
    for at in 0..2 {
        let (listener, endpoint) = bound();
        let listening = listen(listener, fates);
        let homeserver = &clients(&endpoint, Limits::default())[at];
        let result = homeserver.upsert_device("alice", "LAPTOP", None).await;
        let count = tokio::task::spawn_blocking(|| listening.join().unwrap()).await.unwrap();
        assert_eq!(count, fates.len(), "attempts");
        results.push(result.map_err(|error| Error::new(error.code(), error.message().replace(&endpoint, "URI/"))));
    }
    results
}

#[tokio::test]
async fn a_call_whose_connection_was_lost_is_made_once_more() {
    for fates in [&[Fate::Lost, DONE], &[Fate::Cut, DONE]] {
        for result in upsert(fates).await {
            result.unwrap();
        }
    }
}

#[tokio::test]
async fn a_call_whose_connection_was_lost_twice_has_failed() {
    for result in upsert(&[Fate::Lost, Fate::Lost]).await {
        let (code, message, _) = shown(&result.unwrap_err());
        assert_eq!(code, Code::HomeserverUnreachable);
        assert!(
            message.contains("cannot be reached: the connection was lost before the answer ("),
            "{message}"
        );
    }
}

#[tokio::test]
async fn an_answer_is_an_answer() {
    for result in upsert(&[BUSY]).await {
        let (code, message, _) = shown(&result.unwrap_err());
        assert_eq!(code, Code::HomeserverFailed);
        assert!(message.ends_with("answers 503 M_UNKNOWN."), "{message}");
    }
    for result in upsert(&[Fate::Lost, BUSY]).await {
        assert_eq!(result.unwrap_err().code(), Code::HomeserverFailed);
    }
}

/// On a busy machine the listener may come too late for the second attempt: then the whole is tried again.
#[tokio::test]
async fn a_homeserver_that_is_just_starting_is_asked_once_more() {
    for _ in 0..20 {
        let (listener, endpoint) = bound();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let listening = thread::spawn(move || {
            thread::sleep(RETRY_PAUSE / 4);
            listen(TcpListener::bind(address).unwrap(), &[DONE]).join().unwrap()
        });
        let homeserver = Synapse::new(&matrix(&endpoint), Limits::default());
        let asked = homeserver.upsert_device("alice", "LAPTOP", None).await;
        if asked.is_ok() {
            assert_eq!(listening.join().unwrap(), 1);
            return;
        }
        while homeserver.upsert_device("alice", "LAPTOP", None).await.is_err() {}
        listening.join().unwrap();
    }
    panic!("it was not asked once more");
}

#[tokio::test]
async fn a_homeserver_that_is_not_there_is_named_with_its_path_and_without_a_password() {
    let (listener, endpoint) = bound();
    drop(listener);
    let guarded = endpoint.replace("http://", "http://bob:hunter2@");
    for homeserver in clients(&format!("{guarded}path/"), Limits::default()) {
        let read = homeserver.query_user("alice").await.map(drop);
        for result in [read, homeserver.reactivate_user("alice").await] {
            let (code, message, help) = shown(&result.unwrap_err());
            assert_eq!(code, Code::HomeserverUnreachable);
            let start = format!("The homeserver at `{endpoint}path` cannot be reached: Connection refused");
            assert!(message.starts_with(&start), "{message}");
            assert_eq!(help, "Check `matrix.endpoint`, and that this machine can reach it.");
        }
    }
}

#[tokio::test]
async fn only_what_is_passing_is_asked_again_and_only_once() {
    let in_use = || refusal(400, "M_USER_IN_USE", "User ID already taken.");
    let call = Call::new(Method::POST, "_synapse/mas/provision_user", Duration::from_secs(5));
    for (answers, asked) in [
        (vec![in_use(), ResponseTemplate::new(200)], 2),
        (vec![in_use(), in_use(), ResponseTemplate::new(200)], 2),
        (vec![refusal(400, "M_EXCLUSIVE", "")], 1),
        (vec![ResponseTemplate::new(201)], 1),
    ] {
        let server = replaying(answers).await;
        let transport = Transport::new(&matrix(&server.uri()), Api::Mas, Limits::default());
        transport.send_unless(&call, made_by_another).await.unwrap();
        assert_eq!(requests(&server).await.len(), asked);
    }
    let server = answering(in_use()).await;
    let transport = Transport::new(&matrix(&server.uri()), Api::Mas, Limits::default());
    transport.send(&call).await.unwrap();
    assert_eq!(requests(&server).await.len(), 1);
}
