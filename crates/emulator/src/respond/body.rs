//! Bodies that are streamed: huge ones, and ones that break off.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::Dropped;

const CHUNK: &[u8] = &[b' '; 16 * 1024];

/// So many bytes, then the end or a broken connection.
pub(crate) struct Streamed {
    left: u64,
    end: End,
}

/// How a body ends.
enum End {
    Whole,
    /// The connection breaks, once what was sent before has left.
    BreaksSoon,
    BreaksNow,
}

impl Streamed {
    pub(crate) fn sized(left: u64) -> Self {
        Self { left, end: End::Whole }
    }

    pub(crate) fn broken() -> Self {
        Self { left: 1, end: End::BreaksSoon }
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if self.left == 0 {
            return match self.end {
                End::Whole => Poll::Ready(None),
                End::BreaksSoon => {
                    // A body that makes its reader wait is flushed up to there.
                    self.end = End::BreaksNow;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                End::BreaksNow => Poll::Ready(Some(Err(Dropped))),
            };
        }
        let size = CHUNK.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= size as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&CHUNK[..size])))))
    }
}
