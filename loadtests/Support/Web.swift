import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// An HTTP client with limits, for what is not itself measured.
struct Web: Sendable {
    /// A page that is larger is refused.
    static let pageBytesMax = 1 << 20
    static let answerTimeMax: TimeAmount = .seconds(15)

    struct Page: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let text: String
    }

    let client: HTTPClient

    /// Runs `body` with a client that ends with it.
    ///
    /// - Parameter connectionsMax: to one host at once.
    static func with<Answer: Sendable>(
        tls: TLSConfiguration, connectionsMax: Int = 8, _ body: (Web) async throws -> Answer
    ) async throws -> Answer {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.redirectConfiguration = .follow(max: 4, allowCycles: false)
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .seconds(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsMax
        let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
        do {
            let answer = try await body(Web(client: client))
            try await client.shutdown()
            return answer
        } catch {
            // The failure of the body is the one to tell.
            try? await client.shutdown()
            throw error
        }
    }

    /// Why a page did not come, in a few words.
    struct NoPage: Error {
        let why: String
    }

    /// - Parameter token: goes into `Authorization` as cargo sends it; a redirect to another host loses it.
    /// - Throws: `BenchFailure` that names the address.
    func get(_ url: String, token: String? = nil) async throws -> Page {
        do { return try await attempt(url, token: token) } catch {
            throw BenchFailure("\(url) can't be read: \(error.why); check the address and the network")
        }
    }

    /// The same where the reason is counted.
    func attempt(_ url: String, token: String? = nil) async throws(NoPage) -> Page {
        do {
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "user-agent", value: "longshore-bench")
            if let token { request.headers.add(name: "authorization", value: token) }
            let response = try await client.execute(request, timeout: Self.answerTimeMax)
            let body = try await response.body.collect(upTo: Self.pageBytesMax)
            return Page(
                status: Int(response.status.code), headers: response.headers, text: String(buffer: body))
        } catch {
            throw NoPage(why: Reason.text(error))
        }
    }
}

/// What an error of the network says to a person.
enum Reason {
    /// Neither cargo nor this program asks such a server again.
    static let untrusted = "TLS: its certificate is not trusted"

    /// BoringSSL's own words are a page; these are what users meet.
    private static func tls(_ text: String) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return untrusted }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") { return "TLS: it speaks no TLS" }
        return "TLS: \(text.prefix(200))"
    }

    static func text(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let inner = error.connectionErrors.first?.error { return text(inner) }
            return error.dnsAError == nil ? "no address answers" : "the name `\(error.host)` has no address"
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout: return "no connection in time"
        case let error as NIOSSLError: return tls("\(error)")
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "TLS: its certificate is for another name"
        case let error as HTTPClientError: return error.shortDescription
        default: return "\(error)"
        }
    }
}
