import AsyncHTTPClient
import FoundationEssentials
import Hosting
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import Synchronization

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

/// Reads from upstreams: connections kept, memory and time bounded, no redirect followed, and only addresses that the
/// upstream may be at.
///
/// The address is looked up here and the connection is pinned to it, so that a name can't resolve to another one between
/// the check and the connection. One client for each host; they close with `close()`.
final class UpstreamClient: Sendable {
    static let crateBytesMax = 512 << 20
    private static let userAgent = "longshore/\(OriginVersion.text) (registry proxy)"
    /// A pinned address is looked up again after this.
    private static let pinTimeMax: Duration = .seconds(300)
    private static let hostsMax = 64

    private struct Pin {
        let client: HTTPClient
        let address: String
        let since: ContinuousClock.Instant
    }

    private let pins = Mutex<[String: Pin]>([:])
    private let gate = Gate(insideMax: 32, waitingMax: 2048, of: "questions to upstreams")

    func close() async throws {
        let all = pins.withLock { pins in
            defer { pins = [:] }
            return pins.values.map(\.client)
        }
        for client in all { try await client.shutdown() }
    }

    /// - Throws: `UpstreamFault` for everything but 200, 304 and the answers that say "there is none".
    func file(
        _ url: String, of upstream: Upstream, known: UpstreamValidator?, bytesMax: Int
    ) async throws -> UpstreamAnswer {
        var headers: HTTPHeaders = ["user-agent": Self.userAgent, "accept-encoding": "gzip"]
        if let etag = known?.etag { headers.add(name: "if-none-match", value: etag) }
        if known?.etag == nil, let date = known?.lastModified { headers.add(name: "if-modified-since", value: date) }
        return try await ask(url, of: upstream, headers) { response in
            switch response.status.code {
            case 200:
                let body = try await response.body.collect(upTo: bytesMax)
                let validator = UpstreamValidator(
                    etag: Self.short(response.headers.first(name: "etag")),
                    lastModified: Self.short(response.headers.first(name: "last-modified")))
                return .file(body: Array(body.readableBytesView), validator)
            case 304 where known != nil: return .unchanged
            case 404, 410, 451: return .absent
            default: throw Self.fault(response, url)
            }
        }
    }

    /// - Parameter receive: gets the bytes in order, at most `crateBytesMax`.
    /// - Throws: `UpstreamFault` for everything but 200, and what `receive` throws.
    func crate(
        _ url: String, of upstream: Upstream, _ receive: (ByteBuffer) async throws -> Void
    ) async throws {
        let headers: HTTPHeaders = ["user-agent": Self.userAgent, "accept-encoding": "identity"]
        try await ask(url, of: upstream, headers) { response in
            guard response.status.code == 200 else { throw Self.fault(response, url) }
            var bytes = 0
            for try await piece in response.body {
                bytes += piece.readableBytes
                guard bytes <= Self.crateBytesMax else { throw UpstreamFault("\(url) is larger than 512 MiB") }
                try await receive(piece)
            }
        }
    }

    private func ask<Answer>(
        _ url: String, of upstream: Upstream, _ headers: HTTPHeaders,
        _ read: (HTTPClientResponse) async throws -> Answer
    ) async throws -> Answer {
        try await gate.pass {
            do {
                var request = HTTPClientRequest(url: url)
                request.headers = headers
                let client = try await client(for: url, upstream)
                return try await read(client.execute(request, timeout: .seconds(60)))
            } catch let error as UpstreamFault {
                throw error
            } catch let error as BlobError {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                throw UpstreamFault("\(url) cannot be read: \(Explanation.of(error))")
            }
        }
    }

    private static func fault(_ response: HTTPClientResponse, _ url: String) -> UpstreamFault {
        let pause = response.headers.first(name: "retry-after").flatMap { Int($0) }
        let what = (300..<400).contains(response.status.code) ? ", and redirects are not followed" : ""
        return UpstreamFault(
            "\(url) answered \(response.status)\(what)", pauseSeconds: pause ?? UpstreamFault.pauseSecondsDefault)
    }

    /// Longer validators are no use to anyone.
    private static func short(_ text: String?) -> String? { text.flatMap { $0.utf8.count <= 500 ? $0 : nil } }
}

extension UpstreamClient {
    private func client(for url: String, _ upstream: Upstream) async throws -> HTTPClient {
        guard let parsed = URL(string: url), let host = parsed.host(), parsed.user() == nil,
            parsed.scheme == "https" || parsed.scheme == "http"
        else { throw UpstreamFault("\(url) is no http address") }
        let key = "\(upstream.privateAllowed) \(host)"
        let now = ContinuousClock.now
        if let pin = pins.withLock({ $0[key] }), now - pin.since < Self.pinTimeMax { return pin.client }
        let address = try await resolve(host, privateAllowed: upstream.privateAllowed)
        return try pin(host, to: address, key: key)
    }

    /// - Throws: a fault that names neither the address nor what is behind it.
    private func resolve(_ host: String, privateAllowed: Bool) async throws -> String {
        let plain = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let address = try await NIOThreadPool.singleton.runIfActive {
            try SocketAddress.makeAddressResolvingHost(plain, port: 0)
        }
        guard let text = address.ipAddress else { throw UpstreamFault("`\(host)` has no address") }
        guard privateAllowed || !PrivateAddress.isPrivate(text) else {
            throw UpstreamFault(
                "`\(host)` is not at an address of the public internet; if that is meant, add the upstream with "
                    + "--allow-private")
        }
        return text
    }

    private func pin(_ host: String, to address: String, key: String) throws -> HTTPClient {
        var unneeded: HTTPClient?
        let now = ContinuousClock.now
        let client = try pins.withLock { pins in
            if let pin = pins[key], pin.address == address {
                pins[key] = Pin(client: pin.client, address: address, since: now)
                return pin.client
            }
            guard pins.count < Self.hostsMax || pins[key] != nil else {
                throw UpstreamFault("upstreams are at more than \(Self.hostsMax) hosts")
            }
            unneeded = pins[key]?.client
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: Self.configuration(host, address))
            pins[key] = Pin(client: client, address: address, since: now)
            return client
        }
        if let unneeded { Task { try await unneeded.shutdown() } }
        return client
    }

    private static func configuration(_ host: String, _ address: String) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(20))
        configuration.decompression = .enabled(limit: .size(UpstreamFile.bytesMax))
        configuration.dnsOverride = [host: address]
        return configuration
    }
}
