import EdgeHTTP
import Synchronization

/// Where requests note that they were refused, until `ReadKeeper` takes it.
///
/// The lock is taken by refusals only: what is served passes it by. Under it a refusal costs a look-up, whatever comes.
final class RefusalNotes: Sendable {
    private let book = Mutex(RefusalBook())
    private let wallClock: @Sendable () -> Int

    /// - Parameter wallClock: seconds since 1970.
    init(wallClock: @escaping @Sendable () -> Int) { self.wallClock = wallClock }

    func note(_ refused: RefusedAccess, _ request: EdgeRequest) {
        let key = RefusalBook.Key(refused, from: request.peer)
        let now = wallClock()
        book.withLock { book in
            book.note(key, at: now) {
                RefusalBook.Example(
                    request: "\(request.id)",
                    path: "\(request.method)".uppercased() + " " + RequestRecord.masked(request.path).prefix(200),
                    reason: refused.reason)
            }
        }
    }

    /// See `RefusalBook.take`; with the number of the page that it is of.
    func take(turns: Bool) -> (page: Int, lines: [RefusalBook.Line]) {
        book.withLock { book in
            let page = book.page
            return (page, book.take(turns: turns))
        }
    }

    func putBack(_ lines: [RefusalBook.Line]) { book.withLock { $0.putBack(lines) } }
}
