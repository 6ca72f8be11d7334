import FoundationEssentials
import NIOSSL

/// Whom TLS connections trust: the system's authorities, and those of `--ca-file`.
enum Trust {
    /// - Throws: `BenchFailure` if the file holds no certificate.
    static func configuration(caFile: String?) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.applicationProtocols = ["http/1.1"]
        guard let caFile else { return tls }
        do {
            tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(caFile))]
        } catch {
            throw BenchFailure("\(caFile) can't be read as PEM certificates (\(error)); check --ca-file")
        }
        return tls
    }
}
