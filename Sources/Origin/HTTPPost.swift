import AsyncHTTPClient
import FoundationEssentials
import Hosting
import NIOCore
import NIOHTTP1
import NIOPosix

/// Sends something to an address outside: no redirects, 30 seconds, and of the answer its status only.
struct HTTPPost: Sendable {
    /// What came of it.
    enum Outcome: Hashable, Sendable {
        case accepted
        /// - Parameter pause: seconds that the other side asks us to wait; an hour at most.
        case refused(String, retryCanHelp: Bool, pause: Int?)
    }

    let url: String
    /// False: an address that leads into a private network is refused, so that whoever may name addresses reaches nothing
    /// that only this machine can. The address that was checked is the one that is connected to.
    let allowsPrivate: Bool

    private static let timeout: TimeAmount = .seconds(30)
    private static let pauseMax = 3600

    func send(_ body: String, headers: [(String, String)]) async -> Outcome {
        do {
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            configuration.timeout = .init(connect: .seconds(10), read: Self.timeout)
            // Whoever sends tries again by themselves, and says why.
            configuration.connectionPool.retryConnectionEstablishment = false
            if !allowsPrivate {
                let target = try Target(url)
                configuration.dnsOverride = [target.host: try await target.publicAddress()]
            }
            // Of its own, since the answer to "where is this host?" belongs to a client; what is sent so is not much.
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            do {
                let outcome = try await send(body, headers, client)
                try await client.shutdown()
                return outcome
            } catch {
                try await client.shutdown()
                throw error
            }
        } catch let refused as Target.Refused {
            return .refused(refused.description, retryCanHelp: refused.retryCanHelp, pause: nil)
        } catch {
            return .refused(Explanation.of(error), retryCanHelp: true, pause: nil)
        }
    }

    private func send(_ body: String, _ headers: [(String, String)], _ client: HTTPClient) async throws -> Outcome {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "user-agent", value: "longshore-origin/\(OriginVersion.text)")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await client.execute(request, timeout: Self.timeout)
        let code = Int(response.status.code)
        if (200..<300).contains(code) { return .accepted }
        let pause = response.headers.first(name: "retry-after").flatMap { Int($0) }
        return .refused(
            "answered \(response.status)", retryCanHelp: code >= 500 || code == 429 || code == 408,
            pause: pause.map { min(max($0, 0), Self.pauseMax) })
    }

    /// Where a URL leads.
    struct Target {
        struct Refused: Error, CustomStringConvertible {
            let description: String
            var retryCanHelp = false
        }

        let host: String

        /// Takes the host out of `https://host:port/path`, as the client does that will connect to it.
        init(_ url: String) throws(Refused) {
            guard let parsed = URL(string: url), parsed.scheme == "https" || parsed.scheme == "http",
                let host = parsed.host(), !host.isEmpty, parsed.user() == nil
            else { throw Refused(description: "`\(url)` is no http or https address, or has a user in it") }
            self.host = host
        }

        /// - Throws: `Refused` if the host is at a private address, or at none.
        func publicAddress() async throws -> String {
            let plain = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            let found = try? await NIOThreadPool.singleton.runIfActive {
                try SocketAddress.makeAddressResolvingHost(plain, port: 0).ipAddress
            }
            guard let address = found else {
                throw Refused(description: "the host `\(host)` has no address", retryCanHelp: true)
            }
            guard !PrivateAddress.isPrivate(address) else {
                throw Refused(
                    description: "the host `\(host)` leads to the private address \(address), which is not allowed")
            }
            return address
        }
    }
}
