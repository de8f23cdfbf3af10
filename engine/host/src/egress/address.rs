//! Which addresses a guest may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How an address is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anywhere on the Internet.
    Public,
    /// Only with a grant that says `private`; the text says what it is.
    Private(&'static str),
    /// Never: it gives away the machine's identity, or is no address of one machine.
    Never(&'static str),
}

const METADATA: &str = "the address of a cloud metadata service";

/// Judges an address. Addresses that carry another one are judged by the one they carry.
pub(crate) fn judge(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => judge_v4(address),
        IpAddr::V6(address) => judge_v6(address),
    }
}

fn judge_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [169, 254, 169, 254 | 253]
        | [169, 254, 170, 2 | 23]
        | [100, 100, 100, 200]
        | [192, 0, 0, 192] => Reach::Never(METADATA),
        [0, ..] => Reach::Never("an unspecified address"),
        [224..=239, ..] => Reach::Never("a multicast address"),
        [240..=255, ..] => Reach::Never("a reserved or broadcast address"),
        [127, ..] => Reach::Private("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private("a private address"),
        [169, 254, ..] => Reach::Private("a link-local address"),
        [100, 64..=127, ..] => Reach::Private("a carrier's shared address"),
        [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Private("an address reserved for tests and protocols")
        }
        _ => Reach::Public,
    }
}

fn judge_v6(address: Ipv6Addr) -> Reach {
    if let Some(carried) = carried_v4(address) {
        return judge_v4(carried);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private("a loopback address"),
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0x0ce, 0, 0, 0, 0, 0, 0x254] => {
            Reach::Never(METADATA)
        }
        [0xff00..=0xffff, ..] => Reach::Never("a multicast address"),
        [0xfc00..=0xfdff, ..] => Reach::Private("a private address"),
        [0xfe80..=0xfebf, ..] => Reach::Private("a link-local address"),
        [0xfec0..=0xfeff, ..] => Reach::Private("a site-local address"),
        [0x2001, 0, ..] => Reach::Private("a tunnelled address"),
        [0x2001, 0x0db8, ..] => Reach::Private("an address reserved for documentation"),
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Private("a reserved address"),
    }
}

/// The IPv4 address inside a mapped, compatible, translated (NAT64) or 6to4 address.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert_eq!(judge(public.parse().unwrap()), Reach::Public, "{public}");
        }
    }

    #[test]
    fn addresses_of_this_machine_and_network_need_a_grant() {
        for private in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "198.18.0.1",
            "203.0.113.9",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "2001::1",
            "2001:db8::1",
            "4000::1",
        ] {
            assert!(
                matches!(judge(private.parse().unwrap()), Reach::Private(_)),
                "{private}"
            );
        }
    }

    #[test]
    fn some_addresses_are_never_reached() {
        for never in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "100.100.100.200",
            "fd00:ec2::254",
            "::",
            "ff02::1",
        ] {
            assert!(
                matches!(judge(never.parse().unwrap()), Reach::Never(_)),
                "{never}"
            );
        }
    }
}
