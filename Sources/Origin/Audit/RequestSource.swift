import HTTPTypes
import Hosting
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

    /// - Parameter header: the one that the reverse proxy sets, read as `ClientAddress` says. Nil, or none in it: the
    ///   connection's address.
    static func address(_ fields: HTTPFields, header: HTTPField.Name?, peer: String?) -> String? {
        guard let header, let value = fields[header] else { return peer }
        return ClientAddress.last(in: value.utf8) ?? peer
    }
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
