import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension UpstreamFault {
    /// What an answer that can't be used means.
    ///
    /// | answer                      | concerns      | asked again after                     |
    /// |-----------------------------|---------------|---------------------------------------|
    /// | 429                         | the upstream  | `Retry-After`, else 10 s              |
    /// | 503 with `Retry-After`      | the upstream  | that, an hour at most                 |
    /// | 401 of the index's own host | the upstream  | 10 s                                  |
    /// | anything else               | the name      | `Retry-After`, else 10 s              |
    ///
    /// - Parameters:
    ///   - showsCredential: false: if the upstream has a credential, this address does not get to see it.
    ///   - now: seconds since 1970.
    init(
        _ status: HTTPResponseStatus, retryAfter: String?, at address: UpstreamAddress, of upstream: Upstream,
        showsCredential: Bool, now: Int64
    ) {
        let pause = RetryAfter.seconds(retryAfter, now: now)
        let isForAll =
            switch status.code {
            case 429: true
            case 503: pause != nil
            case 401: address.host == upstream.index.address.host
            default: false
            }
        let credential = upstream.sealedCredential == nil ? nil : showsCredential
        self.init(
            "\(address) answered \(status)\(Self.hint(status, address, credential))",
            pauseSeconds: pause ?? Self.pauseSecondsDefault, extent: isForAll ? .upstream : .name)
    }

    private static func hint(_ status: HTTPResponseStatus, _ address: UpstreamAddress, _ credential: Bool?) -> String {
        switch (status.code, credential) {
        case (300..<400, _): ", and redirects of index files are not followed"
        case (401, nil), (403, nil): "; if it wants a credential, set one with `longshore-origin upstream credential`"
        case (401, true): "; its credential is not accepted: set another with `longshore-origin upstream credential`"
        case (401, false), (403, false):
            "; the credential was not sent to this host: if the upstream wants that, name it with --also-host "
                + address.host.description
        default: ""
        }
    }

    /// What it means that there was no answer, or only a part of one: while its own host can't be reached, the upstream can't.
    init(_ error: any Error, at address: UpstreamAddress, of upstream: Upstream) {
        let isForAll = address.host == upstream.index.address.host && Self.isUnreachable(error)
        self.init("\(address) cannot be read: \(Explanation.of(error))", extent: isForAll ? .upstream : .name)
    }

    /// True if another name would only wait as long for nothing.
    private static func isUnreachable(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError:
            [.connectTimeout, .tlsHandshakeTimeout, .readTimeout, .getConnectionFromPoolTimeout].contains(error)
        case is NIOConnectionError: true
        case let error as IOError: [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
        default: false
        }
    }
}
