//! What is not worth telling: one warning for each of fifty thousand tenants.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tracing::Metadata;
use tracing::callsite::Identifier;

/// How often one warning is told, whatever differs in it from one time to the next.
pub(super) const MAX_REPEATS: usize = 10;

/// How often each warning came, by where it is in the code.
static TIMES: Mutex<Option<HashMap<Identifier, usize>>> = Mutex::new(None);

/// Whether an event is worth telling; counts it.
pub(super) fn is_news(event: &Metadata<'_>) -> bool {
    let mut times = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
    let times = times.get_or_insert_default().entry(event.callsite()).or_default();
    *times += 1;
    *times <= MAX_REPEATS
}

/// How many warnings were kept back since they were told often enough before.
pub(crate) fn kept_back() -> usize {
    let times = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
    times.iter().flat_map(HashMap::values).map(|times| times.saturating_sub(MAX_REPEATS)).sum()
}
