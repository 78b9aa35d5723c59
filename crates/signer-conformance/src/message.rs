//! The messages that the suite signs.

/// A message, by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Empty,
    Short,
    FourKilobytes,
    OneMegabyte,
}

impl Message {
    pub(crate) const ALL: [Self; 4] = [Self::Empty, Self::Short, Self::FourKilobytes, Self::OneMegabyte];

    /// Its bytes, by the rule that `testdata/make.sh` follows too.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let length: usize = match self {
            Self::Empty => 0,
            Self::Short => 11,
            Self::FourKilobytes => 4 * 1024,
            Self::OneMegabyte => 1024 * 1024,
        };
        (0..length).map(|index| ((31 * index + 7) % 251) as u8).collect()
    }
}
