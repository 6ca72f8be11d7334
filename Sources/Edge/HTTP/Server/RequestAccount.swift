import Logging
import NIOCore
import NIOPosix

/// One request from its head to its end, for the counters and the observer.
struct RequestAccount {
    let request: EdgeRequest
    let arrived: NIODeadline
    /// Zero bytes and 499 until an answer begins.
    var outcome = EdgeOutcome()
    private(set) var hasLeft = false
    /// True while it is one of those of which there may be `requestsMax`: not if its answer left at once.
    fileprivate var isCounted = false

    init(_ request: EdgeRequest, arrived: NIODeadline) {
        self.request = request
        self.arrived = arrived
    }

    /// The last part of the answer goes out next; only the first call counts.
    mutating func leaves(_ observer: (any EdgeRequestObserver)?) {
        guard !hasLeft, let observer else { return }
        hasLeft = true
        observer.leaves(request, outcome)
    }
}

extension ServerLoop {
    /// - Returns: nil if the server has as many requests as it can serve.
    func ask(_ request: EdgeRequest, memo: inout EdgeMemo?) -> EdgeAnswer? {
        guard shared.requestsOpen.value < shared.configuration.requestsMax else {
            figures.requestsRefused.add()
            return nil
        }
        return shared.handler.answer(request, on: eventLoop, memo: &memo)
    }

    /// The request waits for something; from now on it is one of those of which there may be `requestsMax`.
    func counts(_ account: inout RequestAccount) {
        guard !account.isCounted else { return }
        account.isCounted = true
        shared.requestsOpen.add()
    }

    func finished(_ account: RequestAccount, at now: NIODeadline? = nil) {
        if account.isCounted { shared.requestsOpen.add(-1) }
        figures.bodyBytesOut.add(account.outcome.bytes)
        guard let observer = shared.observer else { return }
        observer.finished(account.request, account.outcome, duration: (now ?? .now()) - account.arrived)
    }

    /// Waits for a handler's late answer and calls `done` on this loop with one that is not `.later`.
    func wait(_ future: EventLoopFuture<EdgeAnswer>, done: @escaping (EdgeAnswer) -> Void) {
        future.hop(to: eventLoop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let answer):
                if case .later(let further) = answer.content { self.wait(further, done: done) } else { done(answer) }
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
