/// Why a server could not start, and what to do about it.
package enum EdgeServerError: Error, CustomStringConvertible {
    case cannotListen(host: String, port: Int, reason: String)
    case badCertificate(file: String, reason: String)
    case badKey(file: String, reason: String)
    case badTLS(reason: String)

    package var description: String {
        switch self {
        case .cannotListen(let host, let port, let reason):
            "cannot listen on \(host), port \(port): \(reason). Stop what uses the port, or choose another."
        case .badCertificate(let file, let reason):
            "\(file) is no readable PEM certificate chain: \(reason). It must begin with the server's own certificate."
        case .badKey(let file, let reason):
            "\(file) is no readable PEM private key: \(reason). Keys with a passphrase can't be used."
        case .badTLS(let reason):
            "TLS can't be set up: \(reason). Check that the private key belongs to the first certificate of the chain."
        }
    }
}
