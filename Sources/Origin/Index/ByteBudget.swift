import Synchronization

/// How many bytes of index files may wait in memory for slow readers; more is refused, not held (I9).
///
/// One file always passes, however large it is, when no other waits.
package final class ByteBudget: Sendable {
    /// The bytes count until the last reference to it is gone, however the request ends.
    final class Reservation: Sendable {
        private let budget: ByteBudget
        private let bytes: Int

        fileprivate init(_ budget: ByteBudget, _ bytes: Int) {
            self.budget = budget
            self.bytes = bytes
        }

        deinit { budget.used.withLock { $0 -= bytes } }
    }

    private let bytesMax: Int
    private let used = Mutex(0)

    package init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// - Throws: 503, which cargo and edges repeat by themselves.
    func reserve(_ bytes: Int) throws(Refusal) -> Reservation {
        let fits = used.withLock { used in
            guard used == 0 || used + bytes <= bytesMax else { return false }
            used += bytes
            return true
        }
        guard fits else {
            throw .unavailable("too many index files are being sent; try again in a moment", retryAfter: 1)
        }
        return Reservation(self, bytes)
    }
}
