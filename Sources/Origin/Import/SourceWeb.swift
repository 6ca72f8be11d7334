import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1

/// Reads from another registry over HTTP: redirects followed, what may pass repeated, memory bounded.
struct SourceWeb: Sendable {
    static let documentBytesMax = 64 << 20
    private static let attemptsMax = 5

    private let client: HTTPClient
    /// Sent to the index, and to downloads if the source asks for it there; cargo's rule.
    private let token: String?

    init(token: String?) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .follow(max: 10, allowCycles: false)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.token = token
    }

    func close() async throws { try await client.shutdown() }

    /// A small file in memory.
    ///
    /// - Returns: nil if the source says that there is none.
    func document(_ url: String) async throws -> [UInt8]? {
        try await answer(url, isAuthorized: true) { response in
            let body = try await response.body.collect(upTo: Self.documentBytesMax)
            return Array(body.readableBytesView)
        }
    }

    /// - Parameter begin: called before the first byte of each attempt; `receive` gets the bytes in order.
    /// - Returns: false if the source says that there is no such file.
    func file(
        _ url: String, isAuthorized: Bool, receive: (HTTPClientResponse) async throws -> Void
    ) async throws -> Bool {
        try await answer(url, isAuthorized: isAuthorized, receive) != nil
    }

    private func answer<Answer>(
        _ url: String, isAuthorized: Bool, _ read: (HTTPClientResponse) async throws -> Answer
    ) async throws -> Answer? {
        var attempt = 1
        while true {
            do {
                let response = try await client.execute(request(url, isAuthorized), timeout: .seconds(60))
                switch response.status.code {
                case 200: return try await read(response)
                case 404, 410, 451: return nil
                default: throw SourceFailure(response, url)
                }
            } catch {
                let failure = try SourceFailure(error, url)
                guard failure.retryCanHelp, attempt < Self.attemptsMax else { throw failure }
                try await Task.sleep(for: failure.pause ?? .milliseconds(250 << attempt))
                attempt += 1
            }
        }
    }

    private func request(_ url: String, _ isAuthorized: Bool) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "user-agent", value: "longshore-origin/\(OriginVersion.text) (import)")
        // Nothing is unpacked here, as nothing may be packed on a crate file.
        request.headers.add(name: "accept-encoding", value: "identity")
        if isAuthorized, let token { request.headers.add(name: "authorization", value: token) }
        return request
    }
}

/// The source gave no usable answer.
struct SourceFailure: Error, CustomStringConvertible {
    let description: String
    let retryCanHelp: Bool
    /// What the source asks us to wait, 10 s at most.
    var pause: Duration?

    init(_ text: String) {
        description = text
        retryCanHelp = false
    }

    init(_ response: HTTPClientResponse, _ url: String) {
        let code = response.status.code
        let remedy =
            switch code {
            case 401, 403: "; set LONGSHORE_SOURCE_TOKEN to a token that may read there"
            default: ""
            }
        description = "\(url) answered \(response.status)\(remedy)"
        retryCanHelp = code >= 500 || code == 429
        pause = response.headers.first(name: "retry-after").flatMap { Int($0) }.map { .seconds(min(max($0, 0), 10)) }
    }

    /// - Throws: an error that is not the source's fault, as it is.
    init(_ error: any Error, _ url: String) throws {
        switch error {
        case let failure as SourceFailure: self = failure
        case is CancellationError, is BlobError: throw error
        default:
            description = "\(url) cannot be read: \(Explanation.of(error))"
            retryCanHelp = true
        }
    }
}
