/// A certificate authority for a test, and one server certificate signed by it.
package struct TestAuthority: Sendable {
    /// PEM files.
    package let certificate: String
    package let serverCertificate: String
    package let serverKey: String

    /// - Parameters:
    ///   - folder: where the files are made; must exist.
    ///   - names: what the server certificate is for, as OpenSSL writes it: `DNS:localhost`, `IP:127.0.0.1`.
    package init(in folder: String, names: [String]) async throws {
        certificate = folder + "/ca.pem"
        serverCertificate = folder + "/server.pem"
        serverKey = folder + "/server.key"
        let script = #"""
            set -e; cd "$0"
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=test authority" -keyout ca.key -out ca.pem
            openssl req -newkey rsa:2048 -nodes -subj "/CN=test server" -keyout server.key -out server.csr
            echo "subjectAltName=$1" >server.ext
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext \
                -out server.pem
            """#
        let made = try await runTool("sh", ["-c", script, folder, names.joined(separator: ",")])
        guard made.status == 0 else { throw Failure(text: made.text) }
    }

    private struct Failure: Error { let text: String }
}
