import Foundation
import Registry
import Signing
import TestSupport

/// What an origin has that signs URLs: keys, and the files of a private and a public repository.
struct SigningOrigin: Sendable {
    let download: MadeDownload
    let key = SigningKey()
    let old = SigningKey()

    init(version: String = "1.0.0+b.1") throws { download = try MadeDownload("foo", version) }

    func start() async throws -> ScriptedOrigin {
        let origin = try await ScriptedOrigin.withFoo()
        origin.change { script in
            script.repositories = [ScriptedOrigin.entry("main"), ScriptedOrigin.entry("secret", isPrivate: true)]
            for repository in ["main", "secret"] { script.crates["\(repository)/\(download.file)"] = download.bytes }
            script.keys = list()
        }
        return origin
    }

    /// - Parameter retired: is listed as such.
    func list(retired: SigningKey? = nil) -> SigningKeyList {
        SigningKeyList(
            edge: "eu",
            keys: [key, old].map { key in
                .init(id: key.id, key: Base64URL.text(key.publicKey), isRetired: key.id == retired?.id)
            })
    }

    /// - Parameter expires: seconds from now.
    func url(
        in repository: String = "secret", by key: SigningKey? = nil, expires: Int = 300, audience: String = "eu",
        subject: URLClaims.Subject = .nobody
    ) throws -> String {
        try (key ?? self.key).sign(
            download.path(in: repository), expires: Int(Date().timeIntervalSince1970) + expires, audience: audience,
            subject: subject
        ).target
    }
}
