import AsyncHTTPClient
package import NIOCore
import NIOHTTP1
import NIOPosix

/// An answer, read whole.
package struct HTTPAnswer: Sendable {
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: ByteBuffer

    package var text: String { String(buffer: body) }

    /// The first value; names compare in lower case.
    package func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}

/// Unlike `HTTPClient.shared` it says at once that nobody listens: tests stop servers, and ask again themselves.
private let client = makeClient(followsRedirects: true)
private let plainClient = makeClient(followsRedirects: false)

private func makeClient(followsRedirects: Bool) -> HTTPClient {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.connectionPool.retryConnectionEstablishment = false
    if !followsRedirects { configuration.redirectConfiguration = .disallow }
    return HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
}

/// At most 256 MiB are read.
package func httpCall(
    _ method: String, _ url: String, headers: [(String, String)] = [], body: ByteBuffer? = nil, seconds: Int64 = 60,
    followsRedirects: Bool = true
) async throws -> HTTPAnswer {
    var request = HTTPClientRequest(url: url)
    request.method = .init(rawValue: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(body) }
    let response = try await (followsRedirects ? client : plainClient).execute(request, timeout: .seconds(seconds))
    return HTTPAnswer(
        status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) },
        body: try await response.body.collect(upTo: 256 << 20))
}

package func httpGet(_ url: String, headers: [(String, String)] = []) async throws -> HTTPAnswer {
    try await httpCall("GET", url, headers: headers)
}
