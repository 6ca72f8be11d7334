import CoreMetrics
import EdgeHTTP
import EdgeLedger
import Hosting
import Logging
import Metrics
import NIOCore
import Registry
import Synchronization

/// Counts every finished request, writes a log line for those that the settings ask for, and notes in the journal what
/// was read, before it has left.
final class RequestRecord: EdgeRequestObserver {
    private struct Key: Hashable {
        let route: String
        let method: EdgeRequest.Method
        let status: Int
    }

    private struct Meters {
        let requests: Counter
        let seconds: Metrics.Timer
        let bytes: Counter
    }

    private let choice: EdgeConfig.AccessLogChoice
    private let logger: Logger
    private let journal: ReadJournal
    /// Making a meter takes a look-up by text, so those in use are kept; few routes times few statuses.
    private let meters = Mutex<[Key: Meters]>([:])

    init(_ choice: EdgeConfig.AccessLogChoice, journal: ReadJournal, logger: Logger) {
        self.choice = choice
        self.journal = journal
        self.logger = logger
    }

    func finished(_ request: EdgeRequest, status: Int, bytes: Int, cache: String, duration: Duration) {
        let path = EdgePath(request.path)
        let key = Key(route: path.map { "\($0.target)" } ?? "none", method: request.method, status: status)
        let meters = meters.withLock { known in
            if let held = known[key] { return held }
            let made = Self.make(key)
            known[key] = made
            return made
        }
        meters.requests.increment()
        meters.seconds.record(duration: duration)
        meters.bytes.increment(by: bytes)
        guard choice == .all || choice == .errors && status >= 500 else { return }
        let milliseconds = Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) / 1e15
        let text = Self.masked(request.path)
        logger.log(
            level: status >= 500 ? .warning : .info, "\(request.method) \(text) \(status)",
            metadata: [
                "request": "\(request.id)", "method": "\(request.method)", "path": "\(text)", "route": "\(key.route)",
                "repository": "\(path.map { String(buffer: $0.repository) } ?? "")",
                "crate": "\(path?.crate?.spelling ?? "")", "cache": "\(cache)", "status": "\(status)",
                "ms": "\((milliseconds * 10).rounded() / 10)", "bytes": "\(bytes)",
            ])
    }

    func leaves(_ request: EdgeRequest, status: Int, bytes: Int, cache: String, credit: String) {
        guard let mark = ReadMark(request, status: status, bytes: bytes, cache: cache, credit: credit) else { return }
        journal.append(mark.size) { mark.write(to: $0) }
    }

    private static func make(_ key: Key) -> Meters {
        let method = "\(key.method)".uppercased()
        return Meters(
            requests: Metric.requests.counter(["method": method, "route": key.route, "status": "\(key.status)"]),
            seconds: Metric.requestSeconds.timer(["route": key.route]),
            bytes: Metric.responseBytes.counter(["route": key.route]))
    }

    /// A path without its token, and bounded.
    private static func masked(_ path: ByteBuffer) -> String {
        var segments = String(buffer: path).prefix(512).split(separator: "/", omittingEmptySubsequences: false)
        if segments.count > 2, segments[1] == "t" { segments[2] = "…" }
        return Redaction.mask(segments.joined(separator: "/"))
    }
}
