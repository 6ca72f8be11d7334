import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Registry
import TestSupport

/// One event of the feed as an edge reads it.
struct FeedEvent: Sendable, Equatable {
    var id: UInt64?
    var kind = ""
    var data = ""

    /// `head` of a lease or a reset.
    var head: UInt64? {
        ((try? JSONSerialization.jsonObject(with: Data(data.utf8))) as? [String: Any])?["head"] as? UInt64
    }
}

/// Reads a feed, event by event, as a simple edge would.
struct FeedReader {
    let stream: String
    private var body: HTTPClientResponse.Body.AsyncIterator
    private var rest = ""

    /// - Parameter after: a position or `latest`.
    init(_ origin: TestOrigin, edge: String, after: String, replica: Int = 0) async throws {
        var request = HTTPClientRequest(url: origin.urls[replica] + "/edge/v1/feed?after=\(after)")
        request.headers.add(name: "authorization", value: "Bearer \(edge)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        guard response.status == .ok else { throw Refused(status: Int(response.status.code)) }
        stream = response.headers.first(name: EdgeWire.streamHeader) ?? ""
        body = response.body.makeAsyncIterator()
    }

    struct Refused: Error { let status: Int }

    /// - Returns: nil when the origin ended the stream.
    mutating func next() async throws -> FeedEvent? {
        while true {
            if let end = rest.range(of: "\n\n") {
                let block = rest[..<end.lowerBound]
                var event = FeedEvent()
                for line in block.split(separator: "\n") {
                    let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                    switch parts[0] {
                    case "id:": event.id = UInt64(parts[1])
                    case "event:": event.kind = parts[1]
                    case "data:": event.data = parts[1]
                    default: break
                    }
                }
                rest = String(rest[end.upperBound...])
                return event
            }
            guard let chunk = try await body.next() else { return nil }
            rest += String(buffer: chunk)
        }
    }

    /// The next event that is no lease.
    mutating func nextChange() async throws -> FeedEvent? {
        while let event = try await next() {
            if event.kind != "lease" { return event }
        }
        return nil
    }
}
