import HTTPTypes
import Hummingbird
import NIOCore

/// Where a request comes from: the first address of `x-forwarded-for`, else that of the connection.
///
/// Whoever makes the header up chooses another edge for themselves, and nothing else: so it is believed.
struct ClientPlace: Hashable, Sendable {
    private static let headerBytesMax = 1024

    let address: String?

    init(address: String?) { self.address = address }

    init(_ request: Request, _ context: OriginContext) {
        let forwarded = request.headers[Self.forwardedFor].flatMap { header in
            header.utf8.count <= Self.headerBytesMax ? header.split(separator: ",").first : nil
        }
        address = forwarded.map { $0.filter { $0 != " " } } ?? context.channel.remoteAddress?.ipAddress
    }

    /// A client on this very machine.
    var isLocal: Bool { address.map { $0.hasPrefix("127.") || $0 == "::1" } ?? false }

    private static let forwardedFor: HTTPField.Name = {
        guard let name = HTTPField.Name("x-forwarded-for") else { preconditionFailure("the constant is a field name") }
        return name
    }()
}
