package import Hummingbird
import NIOCore
import Synchronization

/// Middleware: counts the requests that may change something, so that a replica that stops keeps its feed until the last
/// of them is answered: edges that are connected here then hear of the change before the answer leaves (I10).
package struct OpenChanges: RouterMiddleware {
    private struct State {
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private let shared = Shared()

    package init() {}

    package func handle(
        _ request: Request, context: OriginContext, next: (Request, OriginContext) async throws -> Response
    ) async throws -> Response {
        guard request.isChange else { return try await next(request, context) }
        shared.state.withLock { $0.running += 1 }
        defer { finished() }
        return try await next(request, context)
    }

    /// Returns when none of them runs.
    func waitForLast() async {
        await withCheckedContinuation { waiter in
            let isIdle = shared.state.withLock { state in
                if state.running > 0 { state.waiting.append(waiter) }
                return state.running == 0
            }
            if isIdle { waiter.resume() }
        }
    }

    private func finished() {
        let waiting = shared.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        waiting.forEach { $0.resume() }
    }
}

extension Request {
    /// Edges only read, acknowledge and report.
    fileprivate var isChange: Bool { method != .get && method != .head && !uri.path.hasPrefix("/edge/") }
}
