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
    private final class Meters: Sendable {
        let requests: Counter
        let seconds: Metrics.Timer
        let bytes: Counter

        init(_ route: RouteLabel, _ method: EdgeRequest.Method, _ status: Int) {
            let method = "\(method)".uppercased()
            requests = Metric.requests.counter(["method": method, "route": "\(route)", "status": "\(status)"])
            seconds = Metric.requestSeconds.timer(["route": "\(route)"])
            bytes = Metric.responseBytes.counter(["route": "\(route)"])
        }
    }

    private struct KnownMeters {
        /// Of GETs that find something, which are nearly all: a place is found faster than a key.
        var usual: [Meters?] = Array(repeating: nil, count: 2 * RouteLabel.allCases.count)
        var others: [Int: Meters] = [:]

        /// Where 200 and 304 of a route stand.
        static func place(_ route: RouteLabel, _ method: EdgeRequest.Method, _ status: Int) -> Int? {
            guard method == .get, status == 200 || status == 304 else { return nil }
            return 2 * Int(route.rawValue) + (status == 304 ? 1 : 0)
        }
    }

    private let choice: EdgeConfig.AccessLogChoice
    private let logger: Logger
    private let journal: ReadJournal
    /// Making a meter takes a look-up by text, so those in use are kept; few routes times few statuses.
    private let meters = Mutex(KnownMeters())
    private let cacheMeters: CacheMeters

    init(_ choice: EdgeConfig.AccessLogChoice, journal: ReadJournal, cacheMeters: CacheMeters, logger: Logger) {
        self.cacheMeters = cacheMeters
        self.choice = choice
        self.journal = journal
        self.logger = logger
    }

    func finished(_ request: EdgeRequest, _ outcome: EdgeOutcome, duration: TimeAmount) {
        // What the server refused itself has no label, and counts as no route.
        let route = RouteLabel(rawValue: outcome.label) ?? .none
        count(route, request.method, outcome, duration)
        guard choice == .all || choice == .errors && outcome.status >= 500 else { return }
        log(request, outcome, route, duration)
    }

    private func count(
        _ route: RouteLabel, _ method: EdgeRequest.Method, _ outcome: EdgeOutcome, _ duration: TimeAmount
    ) {
        let meters = meters(route, method, outcome.status)
        meters.requests.increment()
        meters.seconds.recordNanoseconds(duration.nanoseconds)
        meters.bytes.increment(by: outcome.bytes)
    }

    private func meters(_ route: RouteLabel, _ method: EdgeRequest.Method, _ status: Int) -> Meters {
        let place = KnownMeters.place(route, method, status)
        let key = status << 8 | Int(method.rawValue) << 4 | Int(route.rawValue)
        return meters.withLock { known in
            if let held = place.map({ known.usual[$0] }) ?? known.others[key] { return held }
            let made = Meters(route, method, status)
            if let place { known.usual[place] = made } else { known.others[key] = made }
            return made
        }
    }

    private func log(_ request: EdgeRequest, _ outcome: EdgeOutcome, _ route: RouteLabel, _ duration: TimeAmount) {
        let path = EdgePath(request.path)
        let milliseconds = Double(duration.nanoseconds) / 1e6
        let text = Self.masked(request.path)
        logger.log(
            level: outcome.status >= 500 ? .warning : .info, "\(request.method) \(text) \(outcome.status)",
            metadata: [
                "request": "\(request.id)", "address": "\(request.peer.text ?? "")", "method": "\(request.method)",
                "path": "\(text)", "route": "\(route)",
                "repository": "\(path.map { String(buffer: $0.repository) } ?? "")",
                "crate": "\(path?.crate?.spelling ?? "")", "cache": "\(outcome.cache)", "status": "\(outcome.status)",
                "ms": "\((milliseconds * 10).rounded() / 10)", "bytes": "\(outcome.bytes)",
            ])
    }

    func leaves(_ request: EdgeRequest, _ outcome: EdgeOutcome) {
        guard let mark = ReadMark(request, outcome) else { return }
        journal.append(mark.size) { mark.write(to: $0) }
    }

    /// A log of all requests wants them one by one. None of these is an error.
    var takesGlances: Bool { choice != .all }

    func leaves(_ glimpse: EdgeGlimpse, _ outcome: EdgeOutcome) {
        // Read and answered in one go: less than the clock can tell.
        count(.index, .get, outcome, .zero)
        cacheMeters.read(.index, .hit)
        journal.append(ReadMark.headBytes + glimpse.path.count) {
            ReadMark.write(indexHit: glimpse.path, bytes: outcome.bytes, to: $0)
        }
    }

    /// A path without its token, and bounded.
    static func masked(_ path: ByteBuffer) -> String {
        var segments = String(buffer: path).prefix(512).split(separator: "/", omittingEmptySubsequences: false)
        if segments.count > 2, segments[1] == "t" { segments[2] = "…" }
        return Redaction.mask(segments.joined(separator: "/"))
    }
}
