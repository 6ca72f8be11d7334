import HTTPTypes
import Hummingbird
import NIOCore

/// Where the change that is being made came from, for the audit log: an address, and the request's id.
///
/// Travels beside the call and not through it, as a trace's context does: every slice records, none has to hand it on.
package struct RequestSource: Hashable, Sendable {
    /// Nil on the command line, and for what the origin does by itself.
    package var address: String?
    package var request: String?

    /// Of the request that this task answers.
    @TaskLocal package static var current = RequestSource()

    /// - Parameter header: the one that the reverse proxy sets; its last value is the proxy's own word, what stands before
    ///   it the client may have made up. Nil: the connection's address.
    static func address(_ fields: HTTPFields, header: HTTPField.Name?, peer: String?) -> String? {
        guard let header else { return peer }
        let last = fields[header]?.split(separator: ",").last.map { $0.filter { $0 != " " } }
        return last.flatMap { $0.isEmpty ? nil : String($0.prefix(addressCharactersMax)) } ?? peer
    }

    static let addressCharactersMax = 64
}

/// Middleware: what is recorded while a request is answered carries its address and id.
struct RequestSources: RouterMiddleware {
    /// See `client-address-header`.
    let header: HTTPField.Name?

    func handle(
        _ request: Request, context: OriginContext, next: (Request, OriginContext) async throws -> Response
    ) async throws -> Response {
        let address = RequestSource.address(
            request.headers, header: header, peer: context.channel.remoteAddress?.ipAddress)
        return try await RequestSource.$current.withValue(RequestSource(address: address, request: context.id)) {
            try await next(request, context)
        }
    }
}
