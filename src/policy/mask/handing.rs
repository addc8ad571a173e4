//! What a person gets elsewhere, and what is shown in its place.

use zeroize::Zeroizing;

use super::HIDDEN;
use crate::policy::hand_over::{Deposit, Handle};
use crate::policy::sweep::Seen;

/// What takes the secrets of one reply.
pub(super) struct Hands<'h> {
    key: &'h [u8],
    tool: &'static str,
    deposits: Vec<Deposit>,
}

impl<'h> Hands<'h> {
    /// Hands that take what a reply of `tool` holds. Handles are made with `key`.
    pub(super) const fn new(key: &'h [u8], tool: &'static str) -> Self {
        Self { key, tool, deposits: Vec::new() }
    }

    /// What they took.
    pub(super) fn into_deposits(self) -> Vec<Deposit> {
        self.deposits
    }

    /// Takes a secret that stood in `field`; what is shown instead.
    pub(super) fn take(&mut self, field: &str, secret: &str) -> String {
        let handle = Handle::of(self.key, [secret]);
        let shown = handle.to_string();
        if self.deposits.iter().all(|known| *known.handle() != handle) {
            let about = format!("{}: {field}", self.tool);
            self.deposits.push(Deposit::new(handle, Zeroizing::new(secret.to_owned()), about));
        }
        shown
    }

    /// Takes a link whole. It is shown up to what may grant access: the handle stands in place of the first value
    /// of its query, and all else is hidden. A link that grants nothing, and holds no secret that was seen, is shown
    /// as it is.
    pub(super) fn take_link(&mut self, field: &str, link: &str, seen: &Seen) -> String {
        let open = match Link::of(link) {
            Some(open) => open,
            None if long_steps(link).next().is_some() || seen.holds_secret(link) => Link::Opaque,
            None => return link.to_owned(),
        };
        let handle = self.take(field, link);
        match open {
            Link::Query(before, names) => {
                let mut shown = before.to_owned();
                for (index, name) in names.into_iter().enumerate() {
                    let (mark, value) = if index == 0 { ('?', handle.as_str()) } else { ('&', HIDDEN) };
                    shown.push(mark);
                    shown += name;
                    shown.push('=');
                    shown += value;
                }
                shown
            }
            Link::Cut(before, mark) => format!("{before}{mark}{handle}"),
            Link::Opaque => handle,
        }
    }
}

/// A part of a path that is as long as this may be what grants access; identifiers are shorter.
const LONG: usize = 40;

/// The parts of a link's path that are long enough to be what grants access.
pub(super) fn long_steps(link: &str) -> impl Iterator<Item = &str> {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    path.split('/').filter(|step| step.len() >= LONG)
}

/// Whether a link may let in whoever has it.
pub(super) fn may_grant(link: &str) -> bool {
    Link::of(link).is_some() || long_steps(link).next().is_some()
}

/// A link that may grant access, by what of it can be shown.
enum Link<'l> {
    /// What stands before its query, and the names in it.
    Query(&'l str, Vec<&'l str>),
    /// What stands before its fragment, or before the parameters of its path, and the mark between.
    Cut(&'l str, char),
    /// It has a password, or isn't a link at all: nothing.
    Opaque,
}

impl<'l> Link<'l> {
    /// `None` for a link without anything that could grant access.
    fn of(link: &'l str) -> Option<Self> {
        let Some((_, rest)) = link.split_once("://") else { return Some(Self::Opaque) };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Some(Self::Opaque);
        }
        let (address, fragment) = match link.split_once('#') {
            Some((address, fragment)) => (address, fragment),
            None => (link, ""),
        };
        let path = address.split('?').next().unwrap_or_default();
        if let Some((before, _)) = path.split_once(';') {
            return Some(Self::Cut(before, ';'));
        }
        match address.split_once('?') {
            Some((before, query)) if !query.is_empty() => {
                let pairs = query.split('&').filter(|pair| !pair.is_empty());
                let names: Option<Vec<&str>> = pairs.map(|pair| Some(pair.split_once('=')?.0)).collect();
                // Without a name, the value itself would be shown as one.
                Some(
                    names
                        .filter(|names| !names.is_empty())
                        .map_or(Self::Opaque, |names| Self::Query(before, names)),
                )
            }
            Some(_) | None if fragment.is_empty() => None,
            Some((before, _)) => Some(Self::Cut(before, '#')),
            None => Some(Self::Cut(address, '#')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let mut seen = Seen::default();
        seen.note_secret("a-token-of-the-reply");
        seen
    }

    fn shown(link: &str) -> (String, Vec<String>) {
        let mut hands = Hands::new(b"key", "a_tool");
        let shown = hands.take_link("link", link, &seen());
        let deposits = hands.into_deposits();
        let handles: Vec<&str> = deposits.iter().map(|deposit| deposit.handle().as_str()).collect();
        let shown = handles.iter().fold(shown, |shown, handle| shown.replace(handle, "HANDLE"));
        (shown, deposits.iter().map(|deposit| deposit.about().to_owned()).collect())
    }

    /// R-PM-066: of a link, what grants access is handed over with the whole of it.
    #[test]
    fn a_link_shows_where_it_leads_and_no_more() {
        let taken = vec!["a_tool: link".to_owned()];
        for (link, expected) in [
            ("https://i.pyromind.ai/jp_1?token=abc", "https://i.pyromind.ai/jp_1?token=HANDLE"),
            (
                "https://i.pyromind.ai/jp_1?token=abc&b=c&d=",
                "https://i.pyromind.ai/jp_1?token=HANDLE&b=****&d=****",
            ),
            ("https://i.pyromind.ai/jp_1?token=a?b=c#d", "https://i.pyromind.ai/jp_1?token=HANDLE"),
            ("https://i.pyromind.ai/jp_1#token=abc", "https://i.pyromind.ai/jp_1#HANDLE"),
            ("https://i.pyromind.ai/jp_1?#token=abc", "https://i.pyromind.ai/jp_1#HANDLE"),
            ("https://i.pyromind.ai/jp_1;jsessionid=abc/lab?d=e", "https://i.pyromind.ai/jp_1;HANDLE"),
            ("https://i.pyromind.ai/a-token-of-the-reply/lab", "HANDLE"),
            ("https://i.pyromind.ai/jp_1?abc", "HANDLE"),
            ("https://user:abc@i.pyromind.ai/jp_1", "HANDLE"),
            ("eyJhbGciOi", "HANDLE"),
        ] {
            assert_eq!(shown(link), (expected.to_owned(), taken.clone()), "{link}");
        }
        for plain in ["https://i.pyromind.ai/jp_1", "https://i.pyromind.ai/jp_1?", "https://i.pyromind.ai/@a"]
        {
            assert_eq!(shown(plain), (plain.to_owned(), Vec::new()));
        }
    }

    /// The documentation's own example of a shared link has its token in the path.
    #[test]
    fn a_link_with_a_token_anywhere_may_grant() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJ0YXJnZXRfaWQiOiJ0YjEifQ.6eT68J-KMBww";
        for grants in [
            format!("http://pai-dlc-proxy.example/tensorboard/{token}/"),
            "http://pai-dlc-proxy.example/tensorboard/tb1?token=a".to_owned(),
            "http://pai-dlc-proxy.example/tensorboard/tb1#a".to_owned(),
            "http://a:b@pai-dlc-proxy.example/tensorboard/tb1".to_owned(),
            token.to_owned(),
        ] {
            assert!(may_grant(&grants), "{grants}");
        }
        for plain in ["tb4k8lc5xfu36opt", "tensorboard-20210114104214-vf9lowjt3pso"] {
            assert!(!may_grant(&format!("http://pai-dlc-proxy.example/tensorboard/{plain}/")));
        }
    }

    #[test]
    fn the_same_secret_is_taken_once() {
        let mut hands = Hands::new(b"key", "a_tool");
        let (one, again) = (hands.take("a", "secret"), hands.take("b", "secret"));
        assert_eq!((one, hands.into_deposits().len()), (again, 1));
    }
}
