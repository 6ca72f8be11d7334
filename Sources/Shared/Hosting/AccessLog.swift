import CoreMetrics
package import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Synchronization

/// What a request turned out to be about, filled in on the way by whoever learns it.
///
/// A reference, because contexts are values: what an inner handler notes must reach the middleware around it.
package final class RequestFacts: Sendable {
    private let facts = Mutex<[String: String]>([:])

    package init() {}

    /// Stands as a field in the request's log line: `repository`, `crate`, `version`, `subject`.
    package func note(_ key: String, _ value: some CustomStringConvertible) {
        facts.withLock { $0[key] = value.description }
    }

    package var all: [String: String] { facts.withLock { $0 } }
}

/// A context whose requests `AccessLog` can describe.
package protocol AccessLogged: RequestContext {
    var facts: RequestFacts { get }
}

/// Middleware: one log line a request and its metrics. Put it outermost, around the one that turns errors into answers.
///
/// Fields: `method`, `path` (`/t/{token}` masked, no query), `route`, `status`, `ms`, `bytes`, `facts`, and `aborted`
/// if the client left before the last byte. The request's id is taken from `x-request-id` if that is 1…64 harmless
/// characters, otherwise made; it goes back in `x-request-id` and is `context.id` from here on.
package struct AccessLog<Context: AccessLogged>: RouterMiddleware {
    private let quietRoutes: Set<String>

    /// - Parameter quietRoutes: routes logged at `debug` only, such as a feed's acknowledgements.
    package init(quietRoutes: Set<String> = []) { self.quietRoutes = quietRoutes }

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let clock = ContinuousClock()
        let begin = clock.now
        var context = context
        if let given = request.headers[RequestID.header].flatMap(RequestID.harmless) {
            context.logger[metadataKey: "hb.request.id"] = "\(given)"
        }
        let line = AccessLine(
            method: request.method.rawValue, path: AccessLine.masked(request.uri.path), facts: context.facts,
            quietRoutes: quietRoutes)
        let (logger, route) = (context.logger, context.coreContext.endpointPath)
        Metric.requestsRunning.meter.increment()
        do {
            var response = try await next(request, context)
            response.headers[RequestID.header] = context.id
            let status = response.status.code
            response.body = response.body.observed { bytes, isComplete in
                Metric.requestsRunning.meter.decrement()
                line.write(
                    logger, route: route.value, status: status, took: clock.now - begin, bytes: bytes,
                    isComplete: isComplete)
            }
            return response
        } catch {
            Metric.requestsRunning.meter.decrement()
            let status = (error as? any HTTPResponseError)?.status.code ?? 500
            line.write(
                logger, route: route.value, status: status, took: clock.now - begin, bytes: 0, isComplete: true)
            throw error
        }
    }
}

/// The id that ties a request's log lines together, ours and the proxy's.
package enum RequestID {
    package static let header: HTTPField.Name = {
        guard let name = HTTPField.Name("x-request-id") else { preconditionFailure("the name is a valid token") }
        return name
    }()

    static func harmless(_ text: String) -> String? {
        let isHarmless = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isHarmless && (1...64).contains(text.utf8.count) ? text : nil
    }
}

/// One line of the access log, and the request's metrics.
struct AccessLine: Sendable {
    let method: String
    let path: String
    let facts: RequestFacts
    let quietRoutes: Set<String>

    /// A path fit for a log: the token of `/t/{token}/…` is masked, and the length is bounded.
    static func masked(_ path: String) -> String {
        var segments = path.split(separator: "/", omittingEmptySubsequences: false)
        if let mark = segments.firstIndex(where: { !$0.isEmpty }), segments[mark] == "t", mark + 1 < segments.count {
            segments[mark + 1] = "…"
        }
        return Redaction.mask(String(segments.joined(separator: "/").prefix(512)))
    }

    func write(
        _ logger: Logger, route: String?, status: Int, took: Duration, bytes: Int, isComplete: Bool
    ) {
        let route = route ?? "none"
        let milliseconds = Double(took.components.seconds) * 1e3 + Double(took.components.attoseconds) / 1e15
        var fields: Logger.Metadata = facts.all.mapValues { "\($0)" }
        fields.merge([
            "method": "\(method)", "path": "\(path)", "route": "\(route)", "status": "\(status)",
            "ms": "\((milliseconds * 10).rounded() / 10)", "bytes": "\(bytes)",
        ]) { $1 }
        if !isComplete { fields["aborted"] = "true" }
        let level: Logger.Level = status >= 500 ? .warning : quietRoutes.contains(route) ? .debug : .info
        logger.log(level: level, "\(method) \(path) \(status)", metadata: fields)
        Metric.requests.counter(["method": method, "route": route, "status": "\(status)"]).increment()
        Metric.requestSeconds.timer(["route": route]).recordNanoseconds(Int64(milliseconds * 1e6))
        Metric.responseBytes.counter(["route": route]).increment(by: bytes)
    }
}

extension ResponseBody {
    /// The same body; `done` is told once how many bytes were written and whether all were.
    fileprivate func observed(_ done: @escaping @Sendable (Int, Bool) -> Void) -> ResponseBody {
        let body = self
        return ResponseBody(contentLength: contentLength) { writer in
            let count = Mutex(0)
            let counted = CountingWriter(inner: writer, count: { bytes in count.withLock { $0 += bytes } })
            do {
                try await body.write(counted)
                done(count.withLock { $0 }, true)
            } catch {
                done(count.withLock { $0 }, false)
                throw error
            }
        }
    }
}

private struct CountingWriter: ResponseBodyWriter {
    var inner: any ResponseBodyWriter
    let count: (Int) -> Void

    mutating func write(_ buffer: ByteBuffer) async throws {
        try await inner.write(buffer)
        count(buffer.readableBytes)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await inner.finish(trailingHeaders)
    }
}
