import AsyncHTTPClient
import FoundationEssentials
import Hosting
import NIOCore
import NIOHTTP1
import NIOSSL
import Registry
import Synchronization

/// What the origin answered to one read, with the place in the feed that its snapshot had.
struct OriginAnswer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let position: UInt64
    let body: ByteBuffer
}

/// Requests to the origin: one address, the edge's credential, deadlines, bounds.
///
/// Errors are `UpstreamError`. Redirects are not followed and nothing is repeated here: the caller knows better.
/// Source: `EdgeWire`, docs/PROTOCOL.md.
struct OriginClient: Sendable {
    struct Limits: Sendable {
        var connectTime: TimeAmount = .seconds(2)
        var headTime: TimeAmount = .seconds(10)
        /// Without a byte for this long a body counts as broken.
        var silenceTime: TimeAmount = .seconds(10)
        var connectionsMax = 64
        /// After so long a connection that nobody uses is closed: before the origin does it (75 s unless set there).
        var idleTime: TimeAmount = .seconds(70)
        /// Every question over a connection of its own, where HTTP/2 would put all of them into one.
        var isHTTP1Only = false
        var documentBytesMax = 64 << 20
    }

    private let client: HTTPClient
    private let origin: String
    private let authorization: String
    private let limits: Limits
    /// In how many parts the origin answers questions for closures, as far as it has said.
    private let parts = PartsWord()

    /// - Parameters:
    ///   - origin: the origin's address without a final slash.
    ///   - authorities: certificate authorities to trust besides those of the system.
    init(
        origin: String, credential: String, authorities: [NIOSSLCertificate] = [], limits: Limits = Limits()
    ) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: limits.connectTime, read: limits.silenceTime)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = limits.connectionsMax
        configuration.connectionPool.idleTimeout = limits.idleTime
        if limits.isHTTP1Only { configuration.httpVersion = .http1Only }
        // An edge that can't connect must know at once, because it may hold something to serve instead.
        configuration.connectionPool.retryConnectionEstablishment = false
        if !authorities.isEmpty {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.additionalTrustRoots = [.certificates(authorities)]
            configuration.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.origin = origin
        authorization = "Bearer \(credential)"
        self.limits = limits
    }

    func close() async throws { try await client.shutdown() }

    /// A whole answer in memory; 200, 304, 403 and 404 are answers, all else is thrown.
    func read(_ path: String, etag: String? = nil, method: HTTPMethod = .GET) async throws -> OriginAnswer {
        var request = request(path, method)
        if let etag { request.headers.add(name: "if-none-match", value: etag) }
        let response = try await send(request)
        return try await answer(response, position: try position(of: response))
    }

    func introspect(_ hash: Checksum) async throws -> OriginAnswer {
        let question = try JSONEncoder().encode(Introspection.Question(sha256: hash.description, tellsRefusals: true))
        let response = try await send(post(EdgeWire.introspectPath, question))
        return try await answer(response, position: try position(of: response))
    }

    func acknowledge(_ acknowledgement: Acknowledgement) async throws {
        let response = try await send(post(EdgeWire.ackPath, try JSONEncoder().encode(acknowledgement)))
        try await drain(response)
    }

    func report(_ report: EdgeReport) async throws {
        try await drain(try await send(post(EdgeWire.reportPath, try JSONEncoder().encode(report))))
    }

    enum BatchAnswer: Equatable {
        case taken
        /// The origin itself has read it and won't have it (400, 413); why. What stands between here and there may answer
        /// the same, but not in the origin's JSON: that is thrown, because the batch has done nothing wrong.
        case refused(String)
    }

    /// - Parameter batch: an `AccessBatch` as JSON.
    /// - Throws: unless the origin says that it has it, or refuses it.
    func tellReads(_ batch: [UInt8]) async throws -> BatchAnswer {
        let response = try await send(post(EdgeWire.accessPath, Data(batch)), answers: [400, 413])
        let status = response.status.code
        let body = Data(try await response.body.collect(upTo: 16 << 10).readableBytesView)
        if status == 200, (try? JSONDecoder().decode(AccessBatch.Taken.self, from: body)) != nil { return .taken }
        if [400, 413].contains(status), let refusal = try? JSONDecoder().decode(OriginRefusal.self, from: body) {
            return .refused("status \(status): \(refusal.errors.map(\.detail).joined(separator: "; ").prefix(300))")
        }
        throw UpstreamError(fault: .protocolBroken, detail: "status \(status) for a batch of the access log")
    }

    /// `CargoAnswer.errors`, the form of every refusal of the origin's.
    private struct OriginRefusal: Decodable {
        struct Cause: Decodable { let detail: String }

        let errors: [Cause]
    }

    /// An answer whose body is passed on chunk by chunk.
    ///
    /// - Parameter receive: gets the body of a 200; other statuses come back with their body instead.
    func stream(_ path: String, _ receive: (ByteBuffer) async throws -> Void) async throws -> OriginAnswer {
        try await stream(request(path, .GET)) { _, _, chunk in try await receive(chunk) }
    }

    /// Asks something that costs the origin little, for the sake of the connection that it leaves open, and of what the
    /// answer says of `closurePartsMax`.
    func warm() async throws { _ = try await read(EdgeWire.repositoriesPath) }

    /// In how many parts a closure may be asked for; 1 until the origin has said more.
    var closurePartsMax: Int { parts.count }

    /// One part of index files with what a resolver will ask next, as they come; `ClosureReader` cuts them apart.
    ///
    /// - Parameter receive: gets the position of the snapshot, whether the files are packed, and the body of a 200.
    func closure(
        of repository: RepositoryName, _ question: ClosureQuestion, _ part: ClosurePart,
        _ receive: (UInt64, Bool, ByteBuffer) async throws -> Void
    ) async throws -> OriginAnswer {
        var request = request(EdgeWire.closure(repository), .POST)
        request.headers.add(name: "content-type", value: "application/octet-stream")
        request.headers.add(name: EdgeWire.closurePartHeader, value: "\(part)")
        request.body = .bytes(ByteBuffer(bytes: question.bytes))
        return try await stream(request) { answer, position, chunk in
            // An origin from before parts answers as if it had not been asked for one.
            try await receive(position, answer.headers.contains(name: EdgeWire.closurePartHeader), chunk)
        }
    }

    private func stream(
        _ request: HTTPClientRequest, _ receive: (HTTPClientResponse, UInt64, ByteBuffer) async throws -> Void
    ) async throws -> OriginAnswer {
        let response = try await send(request)
        let position = try position(of: response)
        guard response.status == .ok else { return try await answer(response, position: position) }
        do {
            for try await chunk in response.body { try await receive(response, position, chunk) }
        } catch let error as HTTPClientError {
            throw UpstreamError(fault: .unreachable, detail: Explanation.of(error))
        }
        return OriginAnswer(status: 200, headers: response.headers, position: position, body: ByteBuffer())
    }

    /// The feed's head; its body runs until somebody ends it or falls silent.
    func feed(after: String, publicURL: String) async throws -> HTTPClientResponse {
        var request = request(EdgeWire.feedPath + "?after=\(after)", .GET)
        request.headers.add(name: "accept", value: "text/event-stream")
        request.headers.add(name: EdgeWire.edgeURLHeader, value: publicURL)
        let response = try await send(request)
        guard response.status == .ok else { throw try await answerError(response) }
        return response
    }

    private func request(_ path: String, _ method: HTTPMethod) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: origin + path)
        request.method = method
        request.headers.add(name: "authorization", value: authorization)
        return request
    }

    private func post(_ path: String, _ json: Data) -> HTTPClientRequest {
        var request = request(path, .POST)
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: json))
        return request
    }

    /// - Parameter answers: statuses that are an answer here, besides the usual ones.
    private func send(_ request: HTTPClientRequest, answers: Set<UInt> = []) async throws -> HTTPClientResponse {
        do {
            let response = try await client.execute(request, timeout: limits.headTime)
            parts.hear(response.headers)
            switch response.status.code {
            case 200, 204, 304, 403, 404: return response
            case let status where answers.contains(status): return response
            default: throw try await answerError(response)
            }
        } catch let error as UpstreamError {
            throw error
        } catch {
            throw UpstreamError(fault: .unreachable, detail: Explanation.of(error))
        }
    }

    private func answer(_ response: HTTPClientResponse, position: UInt64) async throws -> OriginAnswer {
        do {
            let body = try await response.body.collect(upTo: limits.documentBytesMax)
            return OriginAnswer(
                status: Int(response.status.code), headers: response.headers, position: position, body: body)
        } catch is NIOTooManyBytesError {
            throw UpstreamError(
                fault: .protocolBroken, detail: "it has more than \(limits.documentBytesMax) bytes")
        } catch {
            throw UpstreamError(fault: .unreachable, detail: Explanation.of(error))
        }
    }

    /// Without a position the answer is not the origin's, whatever its status says (I11).
    private func position(of response: HTTPClientResponse) throws -> UInt64 {
        if let text = response.headers.first(name: EdgeWire.positionHeader), let position = UInt64(text) {
            return position
        }
        let status = Int(response.status.code)
        if status == 403 { throw UpstreamError(fault: .credential(status: status), detail: "") }
        throw UpstreamError(
            fault: .protocolBroken, detail: "status \(status) without the header `\(EdgeWire.positionHeader)`")
    }

    private func answerError(_ response: HTTPClientResponse) async throws -> UpstreamError {
        let status = Int(response.status.code)
        let text = try? await response.body.collect(upTo: 16 << 10)
        let detail = text.map { String(buffer: $0).prefix(300) }.map(String.init) ?? ""
        switch status {
        case 401, 403: return UpstreamError(fault: .credential(status: status), detail: detail)
        case 429, 500...:
            let words = status == 503 ? Self.words(detail, response.headers.first(name: "content-type")) : nil
            return UpstreamError(fault: .origin(status: status), detail: detail, words: words)
        default: return UpstreamError(fault: .protocolBroken, detail: "status \(status): \(detail)")
        }
    }

    /// One line of plain text, which is how the origin speaks to cargo; the page of a proxy is none.
    private static func words(_ text: String, _ contentType: String?) -> String? {
        let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
        let isLine = !line.isEmpty && line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        return isLine && contentType?.hasPrefix("text/plain") == true ? line : nil
    }

    private func drain(_ response: HTTPClientResponse) async throws {
        _ = try await response.body.collect(upTo: 16 << 10)
    }
}

/// What the origin said of parts of closures.
private final class PartsWord: Sendable {
    private let said = Mutex(1)

    var count: Int { said.withLock { $0 } }

    func hear(_ headers: HTTPHeaders) {
        guard let text = headers.first(name: EdgeWire.closurePartsHeader), let count = Int(text) else { return }
        said.withLock { $0 = min(max(1, count), ClosurePart.countMax) }
    }
}
