//! Tests of the sealed form: whatever is changed, cut or swapped is refused.

use super::*;

const OWNER: Owner = [7; 32];

fn key(byte: u8) -> StoreKey {
    format!("{byte:02x}{}", "5a".repeat(31)).parse().unwrap()
}

fn sealer() -> Sealer {
    Sealer::new(&key(1)).unwrap()
}

fn record() -> Record {
    let contents = Zeroizing::new(b"7T:a very secret ticket".to_vec());
    Record { contents, fence: Fence(42), ends: Timestamp::from_second(1_800_000_000).unwrap() }
}

fn refusal(sealed: &[u8]) -> OpenError {
    sealer().open(&OWNER, sealed).unwrap_err()
}

#[test]
fn what_was_sealed_opens_as_it_was() {
    for contents in [&b""[..], b"x", &[9; MAX_RECORD_SIZE - OVERHEAD]] {
        let record = Record { contents: Zeroizing::new(contents.to_vec()), ..record() };
        let sealed = sealer().seal(&OWNER, &record).unwrap();
        assert_eq!(sealed.len(), OVERHEAD + contents.len());
        let opened = sealer().open(&OWNER, &sealed).unwrap();
        assert_eq!(
            (&opened.contents, opened.fence, opened.ends),
            (&record.contents, record.fence, record.ends)
        );
    }
}

#[test]
fn nothing_of_the_contents_shows_and_no_two_are_alike() {
    let (one, two) = (sealer().seal(&OWNER, &record()).unwrap(), sealer().seal(&OWNER, &record()).unwrap());
    assert!(!one.windows(6).any(|window| record().contents.windows(6).any(|secret| secret == window)));
    assert_ne!(one[HEADER_LENGTH..BODY_AT], two[HEADER_LENGTH..BODY_AT]);
    assert_ne!(one[BODY_AT..], two[BODY_AT..]);
}

#[test]
fn every_flipped_bit_is_refused() {
    let sealed = sealer().seal(&OWNER, &record()).unwrap();
    for bit in 0..8 * sealed.len() {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0..VERSION_AT => OpenError::Foreign,
            VERSION_AT => OpenError::Version(flipped[VERSION_AT]),
            KEY_ID_AT..FENCE_AT => OpenError::OtherKey,
            _ => OpenError::Damaged,
        };
        assert_eq!(refusal(&flipped), expected, "bit {bit}");
    }
}

#[test]
fn every_truncation_and_every_addition_is_refused_as_damage() {
    let mut sealed = sealer().seal(&OWNER, &record()).unwrap();
    for length in 0..sealed.len() {
        assert_eq!(refusal(&sealed[..length]), OpenError::Damaged, "{length} bytes");
    }
    sealed.push(0);
    assert_eq!(refusal(&sealed), OpenError::Damaged);
}

#[test]
fn a_record_is_bound_to_its_owner_its_fence_and_its_end() {
    let first = sealer().seal(&OWNER, &record()).unwrap();
    assert_eq!(sealer().open(&[8; 32], &first).unwrap_err(), OpenError::Damaged);
    let other = Record { fence: Fence(43), ends: Timestamp::from_second(1_900_000_000).unwrap(), ..record() };
    let second = sealer().seal(&OWNER, &other).unwrap();
    for fields in [FENCE_AT..ENDS_AT, ENDS_AT..HEADER_LENGTH, FENCE_AT..HEADER_LENGTH, HEADER_LENGTH..BODY_AT]
    {
        let mut swapped = first.clone();
        swapped[fields.clone()].copy_from_slice(&second[fields]);
        assert_eq!(refusal(&swapped), OpenError::Damaged);
    }
}

#[test]
fn another_key_is_told_from_damage() {
    let sealed = Sealer::new(&key(2)).unwrap().seal(&OWNER, &record()).unwrap();
    assert_eq!(refusal(&sealed), OpenError::OtherKey);
    let error = refusal(&sealed).at("the-place");
    assert_eq!(error.kind(), StoreErrorKind::Unreadable);
    assert!(
        error.to_string().contains("the-place") && error.to_string().contains("with another key"),
        "{error}"
    );
}

#[test]
fn what_is_somebody_else_s_is_told_from_damage() {
    assert_eq!(refusal(b"PNG\r\n and much more of a picture than fits into a header"), OpenError::Foreign);
    assert_eq!(refusal(b"SOTK\x02 of a later version"), OpenError::Version(2));
}

#[test]
fn what_would_not_be_read_back_is_not_sealed() {
    let contents = Zeroizing::new(vec![0; MAX_RECORD_SIZE - OVERHEAD + 1]);
    let error = sealer().seal(&OWNER, &Record { contents, ..record() }).unwrap_err();
    assert_eq!(error, SealError::TooLong(MAX_RECORD_SIZE + 1));
}

#[test]
fn debug_shows_nothing_of_the_key() {
    assert_eq!(format!("{:?}", sealer()), "Sealer([redacted])");
}
