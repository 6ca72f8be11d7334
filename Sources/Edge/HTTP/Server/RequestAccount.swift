import Logging
import NIOCore
import NIOPosix

/// One request from its head to its end, for the counters and the observer.
struct RequestAccount {
    let request: EdgeRequest
    let arrived: NIODeadline
    /// Zero bytes and 499 until an answer begins.
    var status = 499
    var bytes = 0
    /// As the answer's `x-cache` says.
    var cache = ""
    /// Whom the observer is told of as the one who got the answer; empty for nobody.
    var credit = ""
    private(set) var hasLeft = false
    /// False for requests that the server refused itself, before they counted as open.
    var isCounted: Bool

    init(_ request: EdgeRequest, arrived: NIODeadline, isCounted: Bool) {
        self.request = request
        self.arrived = arrived
        self.isCounted = isCounted
    }

    /// The last part of the answer goes out next; only the first call counts.
    mutating func leaves(_ observer: (any EdgeRequestObserver)?) {
        guard !hasLeft, let observer else { return }
        hasLeft = true
        observer.leaves(request, status: status, bytes: bytes, cache: cache, credit: credit)
    }
}

extension ServerLoop {
    /// - Returns: nil if the server has as many requests as it can serve.
    func ask(_ request: EdgeRequest) -> EdgeAnswer? {
        guard shared.requestsOpen.add() <= shared.configuration.requestsMax else {
            shared.requestsOpen.add(-1)
            figures.requestsRefused.add()
            return nil
        }
        return shared.handler.answer(request, on: eventLoop)
    }

    func finished(_ account: RequestAccount, at now: NIODeadline? = nil) {
        if account.isCounted { shared.requestsOpen.add(-1) }
        figures.bodyBytesOut.add(account.bytes)
        guard let observer = shared.observer else { return }
        let took = (now ?? .now()) - account.arrived
        observer.finished(
            account.request, status: account.status, bytes: account.bytes, cache: account.cache,
            duration: .nanoseconds(took.nanoseconds))
    }

    /// Waits for a handler's late answer and calls `done` on this loop with one that is not `.later`.
    func wait(_ future: EventLoopFuture<EdgeAnswer>, done: @escaping (EdgeAnswer) -> Void) {
        future.hop(to: eventLoop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(.later(let further)): self.wait(further, done: done)
            case .success(let answer): done(answer)
            case .failure(let error):
                self.shared.logger.error("a handler failed to answer", metadata: ["error": "\(error)"])
                done(.rendered(Refusal.handlerFailed.answer))
            }
        }
    }

    /// Opens a file on the thread pool; nil (and a log line) if it can't be sent whole.
    func open(_ answer: FileAnswer, done: @escaping (OpenFile?) -> Void) {
        shared.threadPool.runIfActive(eventLoop: eventLoop) { try OpenFile(answer) }
            .assumeIsolated().whenComplete { result in
                if case .failure(let error) = result {
                    self.shared.logger.error("a file could not be sent", metadata: ["error": "\(error)"])
                }
                done(try? result.get())
            }
    }
}
