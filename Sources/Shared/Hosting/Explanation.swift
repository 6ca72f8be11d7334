import FoundationEssentials
import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Says in words for people what went wrong, and what they can do about it.
package enum Explanation {
    /// One sentence, without a final full stop and without secrets.
    package static func of(_ error: any Error) -> String {
        if let number = errorNumber(error), let known = sentence(number) { return known }
        let text = String(describing: error)
        // NIO's words for gzip that is none, in whichever of its errors.
        if text.contains("inflationError") { return "its compressed body is broken" }
        // BoringSSL's word, inside of several errors of NIO's.
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return strangeCertificate }
        return Redaction.mask(text)
    }

    /// What a failed call of the system left in `errno`.
    package static func of(errorNumber number: CInt) -> String { sentence(number) ?? String(cString: strerror(number)) }

    private static let strangeCertificate =
        "the server's certificate is not trusted: it has expired, or is signed by an authority that this machine does not "
        + "know (`update-ca-certificates` adds one)"

    /// The `errno` behind an error of NIO, of the system or of Foundation.
    static func errorNumber(_ error: any Error) -> CInt? {
        switch error {
        case let error as IOError: error.errnoCode
        case let error as POSIXError: error.code.rawValue
        case let error as CocoaError: (error.underlying as? POSIXError)?.code.rawValue ?? number(of: error.code)
        default: nil
        }
    }

    private static func number(of code: CocoaError.Code) -> CInt? {
        switch code {
        case .fileNoSuchFile, .fileReadNoSuchFile: ENOENT
        case .fileReadNoPermission, .fileWriteNoPermission: EACCES
        case .fileWriteOutOfSpace: ENOSPC
        case .fileWriteVolumeReadOnly: EROFS
        default: nil
        }
    }

    private static func sentence(_ number: CInt) -> String? {
        switch number {
        case ENOENT: "there is no such file"
        case EACCES, EPERM: "permission is denied; check who owns it and as which user this program runs"
        case EISDIR: "it is a folder, and a file is wanted"
        case ENOSPC: "the disk is full; free some space and start again"
        case EDQUOT: "the disk quota is used up; free some space and start again"
        case EROFS: "the disk is mounted read-only"
        case EMFILE, ENFILE: "too many files are open; raise the limit (`ulimit -n`)"
        case EADDRINUSE: "the address is taken by another program"
        default: nil
        }
    }
}

extension CocoaError {
    fileprivate var underlying: (any Error)? { userInfo["NSUnderlyingError"] as? any Error }
}

/// A server could not listen; the text names the address and says what to do.
package struct ListenProblem: Error, CustomStringConvertible, Sendable {
    package let description: String

    /// - Parameter setting: the flag that chooses another address, without its hyphens.
    package init(_ error: any Error, at address: SocketAddressText, setting: String) {
        let remedy = "choose another with --\(setting)"
        switch Explanation.errorNumber(error) {
        case EADDRINUSE:
            description =
                "\(address) is taken by another program: stop that one (`ss -ltnp` names it), or \(remedy)"
        case EACCES:
            description = "listening on \(address) is not permitted: ports below 1024 are for root; \(remedy)"
        case EADDRNOTAVAIL:
            description = "\(address) is no address of this machine; \(remedy)"
        default:
            description = "cannot listen on \(address): \(Explanation.of(error)); \(remedy)"
        }
    }
}

extension SocketAddressText {
    /// Whether a server can listen here, asked before anything is started: one sentence then tells all.
    ///
    /// The address is free again afterwards; whoever takes it in between is met by the server's own `ListenProblem`.
    /// - Parameter setting: the flag that chooses another address, without its hyphens.
    /// - Throws: `ListenProblem`.
    package func checkIsFree(setting: String) async throws {
        do {
            let server = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            try await server.bind(host: host, port: port).get().close().get()
        } catch {
            throw ListenProblem(error, at: self, setting: setting)
        }
    }
}
