import FoundationEssentials
import NIOCore
import NIOPosix
import NIOSSL

/// A sparse registry as one side of a measurement meets it.
struct RegistryPlace: Sendable {
    let target: WireTarget
    /// Of `config.json`; ends in a slash.
    let path: String
    let token: String?
    /// What other servers are spoken to in, too; nil: as cargo.
    let speech: WireTarget.Speech?
    private let tls: NIOSSLContext?

    /// - Parameter url: with or without `sparse+`.
    /// - Throws: `BenchFailure` for what is no address.
    init(_ url: String, _ speech: WireTarget.Speech?, token: String?, caFile: String?) throws {
        let plain = url.hasPrefix("sparse+") ? String(url.dropFirst("sparse+".count)) : url
        guard let base = WebBase(plain) else {
            throw BenchFailure("`\(url)` is no plain URL: give an index such as https://registry.example/main/index/")
        }
        target = WireTarget(base, speech)
        path = base.path.hasSuffix("/") ? base.path : base.path + "/"
        tls = try target.tls(caFile: caFile)
        self.token = token
        self.speech = speech
    }

    /// What `dl` names: the same server or another one, spoken to in the same way. TLS trusts the same authorities.
    func client(for target: WireTarget) throws -> PatientClient {
        let context = target == self.target ? tls : try tls ?? target.tls(caFile: nil)
        return PatientClient(
            wire: WireClient(target, tls: context, on: MultiThreadedEventLoopGroup.singleton.next()))
    }
}

/// `config.json`, as far as a reading cargo needs it.
struct ReadConfiguration: Decodable, Sendable {
    let dl: String
    let authRequired: Bool?

    enum CodingKeys: String, CodingKey {
        case dl
        case authRequired = "auth-required"
    }

    init?(parsing text: [UInt8]) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(text)) else { return nil }
        self = read
    }
}
