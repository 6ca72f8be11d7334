import CoreMetrics
import EdgeCache
import EdgeHTTP
import Hosting
import NIOCore
import Registry
import Signing

/// Is this download's signature good? It alone decides then: there is no way back to the token.
///
/// | situation                                                | verdict                 |
/// |----------------------------------------------------------|-------------------------|
/// | signed by a key that the origin publishes, for this edge | open, private or public |
/// | anything else about the signature, path or time          | 403 with the reason     |
/// | the token behind it changed or was revoked since         | 403                     |
/// | the keys can't be had, or only from before the key lease | 503                     |
///
/// Keys that the edge can't ask about any more count for the token lease, as tokens do (I7).
/// Source: docs/decisions/0006-signed-urls.md.
struct SignedAccess: Sendable {
    enum Verdict: Sendable, Equatable {
        /// `reader` is the id of the token behind it; empty for a share link.
        case open(reader: String)
        /// `reader` likewise, if the signature is good but came to its end; else empty.
        case refused(SignedURL.Refusal, reader: String = "")
        case unavailable

        fileprivate var word: String {
            switch self {
            case .open: "open"
            case .refused(let refusal, _): refusal.word
            case .unavailable: "unavailable"
            }
        }
    }

    let desk: CacheDesk
    let keyLease: Duration
    let wallClock: @Sendable () -> Int

    static func keys(lease: Duration) -> CacheQuestion {
        CacheQuestion(.keys, .keys, offline: .serveStale(atMost: lease))
    }

    /// Whether a request wants to be judged here. Cheap for those without a query.
    static func isMeant(by path: EdgePath, _ request: EdgeRequest) -> Bool {
        guard request.hasQuery, path.target == .crate, let query = request.query else { return false }
        return SignedURL.isMeant(by: String(buffer: query))
    }

    func find(_ request: EdgeRequest) async -> Verdict {
        let verdict = await judge(request)
        Metric.signedURLs.counter(["result": verdict.word]).increment()
        return verdict
    }

    private func judge(_ request: EdgeRequest) async -> Verdict {
        let ring: KeyRing
        switch await desk.ask(Self.keys(lease: keyLease)) {
        case .hit(let value), .miss(let value), .stale(let value):
            guard let payload = value.payload else { preconditionFailure("the keys are never absent") }
            ring = unsafeDowncast(payload, to: SigningRing.self).ring
        case .unavailable:
            return .unavailable
        }
        do throws(SignedURL.Refusal) {
            // The whole path: behind `/t/{token}/` nothing is signed.
            let url = try SignedURL(
                path: String(buffer: request.path), query: request.query.map { String(buffer: $0) } ?? "")
            try ring.check(url, for: request.method == .other ? .other : .read, at: wallClock())
            guard case .token(let id, let position) = url.claims.subject else { return .open(reader: "") }
            // Last, so that what was applied while we looked counts.
            guard desk.withCore({ core, _ in core.ended.mayUse(id, asOf: position) }) else {
                return .refused(.endedToken, reader: id)
            }
            return .open(reader: id)
        } catch {
            return .refused(error)
        }
    }
}
