import HTTPTypes
package import Hummingbird
import NIOCore
import Synchronization

/// Middleware: answers 503 with `retry-after: 1` while more than `concurrentMax` requests run.
///
/// A bounded queue of work is what keeps memory bounded under a stampede; cargo repeats a 503 by itself.
package struct RequestLimits<Context: RequestContext>: RouterMiddleware {
    private let concurrentMax: Int
    private let running = Running()

    private final class Running: Sendable {
        let count = Atomic(0)
    }

    package init(concurrentMax: Int) { self.concurrentMax = concurrentMax }

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let now = running.count.add(1, ordering: .relaxed).newValue
        defer { running.count.subtract(1, ordering: .relaxed) }
        guard now <= concurrentMax else {
            return Response(
                status: .serviceUnavailable, headers: [.retryAfter: "1", .contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: "too many requests are running; try again in a second\n")))
        }
        return try await next(request, context)
    }
}
