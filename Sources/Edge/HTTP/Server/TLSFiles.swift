import NIOSSL

/// Makes what NIOSSL needs from PEM files.
enum TLSFiles {
    static func context(_ files: EdgeServerConfiguration.TLS) throws(EdgeServerError) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(files.certificateChainFile) } catch {
            throw .badCertificate(file: files.certificateChainFile, reason: "\(error)")
        }
        guard !chain.isEmpty else {
            throw .badCertificate(file: files.certificateChainFile, reason: "there is no certificate in it")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: files.privateKeyFile, format: .pem) } catch {
            throw .badKey(file: files.privateKeyFile, reason: "\(error)")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        do { return try NIOSSLContext(configuration: configuration) } catch { throw .badTLS(reason: "\(error)") }
    }
}
