package import Hosting
package import Hummingbird
package import NIOCore

/// What travels with one request through the origin's routes.
///
/// `Authenticate` sets `principal` before any handler runs; a handler asks it with `require` and goes on, or the
/// thrown `Refusal` becomes the answer.
package struct OriginContext: AccessLogged {
    package var coreContext: CoreRequestContextStorage
    /// Who asks. Anonymous until `Authenticate` ran.
    package var principal: Principal = .anonymous
    /// The connection, for those few handlers that must know of it (early answers to uploads).
    package let channel: any Channel

    /// For the request's log line.
    package let facts = RequestFacts()

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// JSON bodies of the management API are small; uploads are read by their own handler.
    package var maxUploadSize: Int { 64 << 10 }
}
