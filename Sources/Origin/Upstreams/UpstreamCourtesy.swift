import Synchronization

/// Keeps the load on each upstream bounded and leaves it alone for as long as it asks: the slowness of one is no other's.
final class UpstreamCourtesy: Sendable {
    enum Kind {
        case index
        /// For an index file that nobody waits for yet: all others go first.
        case ahead
        case file
    }

    private struct Place {
        /// A level of dependencies is asked for at once, as cargo does; one cargo would ask for up to 200 names.
        let index = Gate(insideMax: 64, waitingMax: 1024, of: "questions to an upstream")
        /// Questions that nobody waits for leave room for others: over HTTP/1.1 there are 24 connections.
        let ahead = Gate(insideMax: 16, waitingMax: 1024, of: "questions ahead to an upstream")
        let aheadHTTP2 = Gate(insideMax: 48, waitingMax: 1024, of: "questions ahead to an upstream")
        var speaksHTTP2 = false
        let file = Gate(insideMax: 8, waitingMax: 512, of: "downloads from an upstream")
        /// Since when it asks for that; who came to the line later knows it from the database.
        var leftAloneSince: ContinuousClock.Instant?
    }

    /// By id. As many as there are upstreams, which only administrators add.
    private let places = Mutex<[Int64: Place]>([:])

    /// - Throws: 503 if too many wait; a fault if, while this one waited, the upstream asked to be left alone.
    func pass<Answer>(
        _ kind: Kind, _ upstream: Upstream, _ body: () async throws -> Answer
    ) async throws -> Answer {
        let arrival = ContinuousClock.now
        let place = place(of: upstream)
        switch kind {
        case .index: return try await place.index.pass { try await ask(upstream, since: arrival, body) }
        case .file: return try await place.file.pass { try await ask(upstream, since: arrival, body) }
        case .ahead:
            return try await (place.speaksHTTP2 ? place.aheadHTTP2 : place.ahead).pass {
                try await place.index.pass(isPatient: true) { try await ask(upstream, since: arrival, body) }
            }
        }
    }

    /// So it can be asked more at once.
    func speaksHTTP2(_ upstream: Upstream) { places.withLock { $0[upstream.id]?.speaksHTTP2 = true } }

    private func place(of upstream: Upstream) -> Place {
        places.withLock { places in
            let place = places[upstream.id, default: Place()]
            places[upstream.id] = place
            return place
        }
    }

    private func ask<Answer>(
        _ upstream: Upstream, since arrival: ContinuousClock.Instant, _ body: () async throws -> Answer
    ) async throws -> Answer {
        if let since = places.withLock({ $0[upstream.id]?.leftAloneSince }), arrival < since {
            throw UpstreamFault("it is not asked now", pauseSeconds: 1, extent: .unasked)
        }
        do {
            return try await body()
        } catch let fault as UpstreamFault where fault.extent == .upstream {
            places.withLock { $0[upstream.id]?.leftAloneSince = .now }
            throw fault
        }
    }
}

/// Reads `Retry-After`: seconds, or a time. Pure.
enum RetryAfter {
    /// - Parameter now: seconds since 1970.
    /// - Returns: seconds from now on, 0 for a time that has passed; nil for anything else.
    static func seconds(_ text: String?, now: Int64) -> Int? {
        guard let text else { return nil }
        if let seconds = Int(text) { return seconds < 0 ? nil : seconds }
        // Its one form has this length; longer numbers than fit into it are nobody's time.
        guard text.utf8.count == 29 else { return nil }
        return HTTPTime.seconds(text).map { Int(max($0 - now, 0)) }
    }
}
