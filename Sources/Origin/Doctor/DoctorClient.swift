import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1

/// Asks as cargo would, follows nothing, unpacks nothing, and says what came.
struct DoctorClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]
        let isHTTP2: Bool
        let seconds: Double

        var text: String { String(decoding: body, as: UTF8.self) }

        func header(_ name: String) -> String? { headers.first(name: name) }

        func all(_ name: String) -> [String] { headers[name] }

        /// The media type, without parameters.
        var type: String {
            (header("content-type") ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        }
    }

    static let bodyBytesMax = 64 << 20

    private let client: HTTPClient
    let token: String?

    init(token: String?) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(10))
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.token = token
    }

    func close() async throws { try await client.shutdown() }

    /// - Parameter isAuthorized: true sends the token, if there is one.
    func get(
        _ url: String, _ headers: [(String, String)] = [], isAuthorized: Bool = false
    ) async throws -> Answer {
        var request = request(url, headers)
        if isAuthorized, let token { request.headers.add(name: "authorization", value: token) }
        return try await send(request)
    }

    /// A publish of so many bytes that waits to be asked for them, and never is.
    func announceUpload(_ url: String, bytes: Int) async throws -> Answer {
        var request = request(
            url,
            [("expect", "100-continue"), ("accept", "application/json"), ("content-type", "application/octet-stream")])
        request.method = .PUT
        let (nothing, end) = AsyncStream<ByteBuffer>.makeStream()
        defer { end.finish() }
        request.body = .stream(nothing, length: .known(Int64(bytes)))
        return try await send(request)
    }

    private func request(_ url: String, _ headers: [(String, String)]) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "user-agent", value: "longshore-origin/\(OriginVersion.text) (doctor)")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        return request
    }

    private func send(_ request: HTTPClientRequest) async throws -> Answer {
        let began = ContinuousClock.now
        let response = try await client.execute(request, timeout: .seconds(15))
        let body = try await response.body.collect(upTo: Self.bodyBytesMax)
        return Answer(
            status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView),
            isHTTP2: response.version.major == 2, seconds: began.duration(to: .now) / .seconds(1))
    }
}
