//! Who is at the other end of a connection: this user, or another one of the same machine.
//!
//! A link is an argument of the browser's command, and on many systems every user may read every command's arguments.
//! The system knows whose a connection is; on Linux it tells.

use std::net::SocketAddr;

/// Whether the client of a connection is another user of this machine. Where the system doesn't tell, it isn't.
#[cfg(target_os = "linux")]
pub(super) async fn is_stranger(client: SocketAddr, server: SocketAddr) -> bool {
    let owner = tokio::task::spawn_blocking(move || {
        // A socket of the newer protocol can speak the older one, and stands in the other table then.
        ["/proc/net/tcp", "/proc/net/tcp6"]
            .into_iter()
            .filter_map(|table| std::fs::read_to_string(table).ok())
            .find_map(|table| owner(&table, client, server))
    });
    let own = rustix::process::geteuid();
    // Root can do anything anyway, and forwards connections of others, as container engines do.
    owner.await.ok().flatten().is_some_and(|user| user != own.as_raw() && user != 0)
}

/// Whether the client of a connection is another user of this machine. Here the system doesn't tell.
#[cfg(not(target_os = "linux"))]
pub(super) async fn is_stranger(_: SocketAddr, _: SocketAddr) -> bool {
    false
}

/// The user whose end of the connection is `client`, by one of the kernel's tables of connections: a head, then a
/// line for each with its number, its own address, the other's, and as the eighth word the user.
#[cfg(any(target_os = "linux", test))]
fn owner(table: &str, client: SocketAddr, server: SocketAddr) -> Option<u32> {
    let (clients, servers) = (named(client)?, named(server)?);
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (own, other) = (words.next()?, words.next()?);
        let found = clients.iter().zip(&servers).any(|(client, server)| own == client && other == server);
        if found { words.nth(4)?.parse().ok() } else { None }
    })
}

/// An address as the two tables write it: its bytes as numbers of this machine, then the port.
#[cfg(any(target_os = "linux", test))]
fn named(address: SocketAddr) -> Option<[String; 2]> {
    match address {
        SocketAddr::V4(address) => {
            let number = u32::from_ne_bytes(address.ip().octets());
            let mapped = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
            let port = address.port();
            Some([
                format!("{number:08X}:{port:04X}"),
                format!("{:016X}{mapped:08X}{number:08X}:{port:04X}", 0),
            ])
        }
        SocketAddr::V6(_) => None,
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:A1B2 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 15 1 0 100 0 0 10 0
   1: 0100007F:A1B2 0100007F:C3D4 01 00000000:00000000 00:00000000 00000000  1000        0 16 1 0 20 4 30 10 -1
   2: 0100007F:C3D4 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1001        0 17 1 0 20 4 30 10 -1
   3: 0100007F:C3D4 0100007F:A1B3 01 00000000:00000000 00:00000000 00000000  1002        0 18 1 0 20 4 30 10 -1
";

    const TABLE_6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:C3D4 0000000000000000FFFF00000100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1003        0 19 1 0 20 4 30 10 -1
";

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_tells_whose_a_connection_is() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = socket.local_addr().unwrap();
        let client = std::net::TcpStream::connect(server).unwrap();
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let own = rustix::process::geteuid().as_raw();
        assert_eq!(owner(&table, client.local_addr().unwrap(), server), Some(own));
    }

    #[test]
    fn a_connection_belongs_to_the_user_at_its_other_end() {
        assert_eq!(owner(TABLE, at(0xc3d4), at(0xa1b2)), Some(1001));
        assert_eq!(owner(TABLE, at(0xa1b2), at(0xc3d4)), Some(1000));
        assert_eq!(owner(TABLE, at(0xc3d4), at(0xa1b4)), None);
        assert_eq!(owner(TABLE_6, at(0xc3d4), at(0xa1b2)), Some(1003));
        assert_eq!(owner("", at(0xc3d4), at(0xa1b2)), None);
    }
}
