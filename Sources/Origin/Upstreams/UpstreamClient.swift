import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// What was kept of an upstream's last answer, to ask whether it still holds.
struct UpstreamValidator: Hashable, Sendable {
    let etag: String?
    let lastModified: String?
}

/// An upstream's answer to a question for a file.
enum UpstreamAnswer: Sendable {
    case absent
    case unchanged
    case file(body: [UInt8], UpstreamValidator)
}

/// Reads from upstreams: connections kept, memory, time and number bounded, and only at addresses that the upstream may be at.
///
/// Index files are never redirected, downloads as `UpstreamTrail` says, which also knows who sees the credential. It is sent over
/// plain http to private addresses only.
final class UpstreamClient: Sendable {
    static let crateBytesMax = 512 << 20
    private static let userAgent = "longshore/\(OriginVersion.text) (registry proxy)"

    private let pins = UpstreamPins()
    private let courtesy = UpstreamCourtesy()
    /// Nil: upstreams with a credential are not asked.
    private let seal: KeySeal?

    init(seal: KeySeal?) { self.seal = seal }

    func close() async throws { try await pins.close() }

    /// - Parameters:
    ///   - url: below the upstream's index.
    ///   - isAhead: nobody waits for it yet.
    ///   - begin: called when its turn has come; what it throws is thrown.
    /// - Throws: `UpstreamFault` for everything but 200, 304 and the answers that say "there is none".
    func file(
        _ url: String, of upstream: Upstream, known: UpstreamValidator?, bytesMax: Int, isAhead: Bool = false,
        begin: () throws -> Void = {}
    ) async throws -> UpstreamAnswer {
        var headers: HTTPHeaders = ["accept-encoding": "gzip"]
        if let etag = known?.etag { headers.add(name: "if-none-match", value: etag) }
        if known?.etag == nil, let date = known?.lastModified { headers.add(name: "if-modified-since", value: date) }
        guard let address = UpstreamAddress(url) else { throw UpstreamFault("its index has no http address") }
        return try await courtesy.pass(isAhead ? .ahead : .index, upstream) {
            try begin()
            return try await ask(address, of: upstream, headers, showsCredential: true) { response in
                if response.version.major == 2 { courtesy.speaksHTTP2(upstream) }
                switch response.status.code {
                case 200:
                    let body = try await response.body.collect(upTo: bytesMax)
                    let validator = UpstreamValidator(
                        etag: Self.short(response.headers.first(name: "etag")),
                        lastModified: Self.short(response.headers.first(name: "last-modified")))
                    return .file(body: Array(body.readableBytesView), validator)
                case 304 where known != nil: return .unchanged
                case 404, 410, 451: return .absent
                default: throw Self.fault(response, address, upstream, showsCredential: true)
                }
            }
        }
    }

    /// - Parameters:
    ///   - url: as the upstream's `dl` says.
    ///   - receive: gets the bytes in order, at most `crateBytesMax`.
    /// - Throws: `UpstreamFault` for everything but 200 and redirects that may be followed, and what `receive` throws.
    func crate(
        _ url: String, of upstream: Upstream, isAuthRequired: Bool, _ receive: (ByteBuffer) async throws -> Void
    ) async throws {
        var trail = try UpstreamTrail(upstream, start: url, isAuthRequired: isAuthRequired)
        try await courtesy.pass(.file, upstream) {
            while let target = try await step(trail, upstream, receive) { try trail.follow(target.location) }
        }
    }

    private struct Redirect { let location: String? }

    /// - Returns: nil when the file came.
    private func step(
        _ trail: UpstreamTrail, _ upstream: Upstream, _ receive: (ByteBuffer) async throws -> Void
    ) async throws -> Redirect? {
        let headers: HTTPHeaders = ["accept-encoding": "identity"]
        let isShown = trail.showsCredential
        return try await ask(trail.address, of: upstream, headers, showsCredential: isShown) { response in
            if [301, 302, 303, 307, 308].contains(response.status.code) {
                return Redirect(location: response.headers.first(name: "location"))
            }
            guard response.status.code == 200 else {
                throw Self.fault(response, trail.address, upstream, showsCredential: isShown)
            }
            var bytes = 0
            for try await piece in response.body {
                bytes += piece.readableBytes
                guard bytes <= Self.crateBytesMax else {
                    throw UpstreamFault("\(trail.address) is larger than 512 MiB")
                }
                try await receive(piece)
            }
            return nil
        }
    }

    private func ask<Answer>(
        _ address: UpstreamAddress, of upstream: Upstream, _ headers: HTTPHeaders, showsCredential: Bool,
        _ read: (HTTPClientResponse) async throws -> Answer
    ) async throws -> Answer {
        do {
            let place = try await pins.place(of: address.host, for: upstream)
            var request = HTTPClientRequest(url: address.url)
            request.headers = headers
            request.headers.add(name: "user-agent", value: Self.userAgent)
            if showsCredential, let credential = try upstream.credential(seal) {
                guard address.isEncrypted || place.isPrivate else {
                    throw UpstreamFault("\(address) is not encrypted, so the credential is not sent there; use https")
                }
                request.headers.add(name: "authorization", value: credential)
            }
            return try await read(place.client.execute(request, timeout: .seconds(60)))
        } catch let error where error is UpstreamFault || error is BlobError || error is CancellationError {
            throw error
        } catch {
            throw UpstreamFault(error, at: address, of: upstream)
        }
    }

    private static func fault(
        _ response: HTTPClientResponse, _ address: UpstreamAddress, _ upstream: Upstream, showsCredential: Bool
    ) -> UpstreamFault {
        UpstreamFault(
            response.status, retryAfter: response.headers.first(name: "retry-after"), at: address, of: upstream,
            showsCredential: showsCredential, now: Int64(Date.now.timeIntervalSince1970))
    }

    /// Longer validators are no use to anyone.
    private static func short(_ text: String?) -> String? { text.flatMap { $0.utf8.count <= 500 ? $0 : nil } }
}
