import FoundationEssentials
import Hummingbird
import NIOCore

extension Response {
    /// A JSON answer that no cache keeps, because it depends on who asks.
    ///
    /// - Parameter position: for answers to edges, the feed position of the snapshot that was read.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, position: UInt64? = nil
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        if let position { headers[.longshorePosition] = String(position) }
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }
}
