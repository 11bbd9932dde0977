//! The way from the shop to one of the other apps, on which everything can happen that happens on a network.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long a connection to the other app is kept after the shop has left it, so that what is on its way still arrives.
const LINGER: Duration = Duration::from_secs(10);

/// What happens on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everything arrives.
    Open,
    /// Nobody is there: connections end at once.
    Dark,
    /// Requests arrive so much later, also those whose sender has left by then.
    Slow(Duration),
    /// Answers arrive so much later.
    Late(Duration),
    /// Requests arrive, and what is answered is this instead.
    Says(&'static str),
}

/// A way that stays where it is, while the app behind it may move.
#[derive(Clone)]
pub(crate) struct Way {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    mode: Mode,
    to: Option<SocketAddr>,
}

impl Way {
    /// A way that leads nowhere yet.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            mode: Mode::Open,
            to: None,
        }));
        let way = Self { address, state };
        let own = way.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let way = own.clone();
                thread::spawn(move || way.carry(stream));
            }
        });
        way
    }

    /// Where it begins.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads there from now on.
    pub(crate) fn lead_to(&self, url: &str) {
        let to = url.strip_prefix("http://").unwrap().parse().unwrap();
        self.state.lock().unwrap().to = Some(to);
    }

    /// From now on this happens, also to connections that there are.
    pub(crate) fn becomes(&self, mode: Mode) {
        self.state.lock().unwrap().mode = mode;
    }

    fn mode(&self) -> Mode {
        self.state.lock().unwrap().mode
    }

    fn carry(&self, shop: TcpStream) {
        let to = self.state.lock().unwrap().to;
        let peer = to.and_then(|to| TcpStream::connect(to).ok());
        let (Some(peer), true) = (peer, self.mode() != Mode::Dark) else {
            return;
        };
        let (way, from, into) = (self.clone(), peer.try_clone().unwrap(), shop.try_clone().unwrap());
        thread::spawn(move || way.bring_answers(from, into));
        self.bring_requests(shop, peer);
    }

    fn bring_requests(&self, mut shop: TcpStream, mut peer: TcpStream) {
        let mut bytes = [0; 64 << 10];
        while let Ok(count @ 1..) = shop.read(&mut bytes) {
            match self.mode() {
                Mode::Dark => {
                    end(&shop);
                    end(&peer);
                    return;
                }
                Mode::Slow(by) => thread::sleep(by),
                Mode::Open | Mode::Late(_) | Mode::Says(_) => {}
            }
            if peer.write_all(&bytes[..count]).is_err() {
                end(&shop);
                return;
            }
        }
        thread::sleep(LINGER);
        end(&peer);
    }

    fn bring_answers(&self, mut peer: TcpStream, mut shop: TcpStream) {
        let mut bytes = [0; 64 << 10];
        while let Ok(count @ 1..) = peer.read(&mut bytes) {
            let sent = match self.mode() {
                Mode::Dark => break,
                Mode::Says(text) => {
                    let _ = shop.write_all(text.as_bytes());
                    break;
                }
                Mode::Late(by) => {
                    thread::sleep(by);
                    shop.write_all(&bytes[..count])
                }
                Mode::Open | Mode::Slow(_) => shop.write_all(&bytes[..count]),
            };
            // The shop has left; what the app does is done all the same.
            let _ = sent;
        }
        end(&shop);
        end(&peer);
    }
}

fn end(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}
