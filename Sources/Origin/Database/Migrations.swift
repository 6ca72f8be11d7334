import Crypto

/// One numbered step of the schema: a file of `Migrations/`, compiled into the program.
package struct Migration: Sendable, Equatable {
    package let number: Int
    package let name: String
    package let sql: String
    /// 64 lower-case hex digits of the file's SHA-256.
    package let sha256: String

    package init(_ number: Int, _ name: String, _ file: [UInt8]) {
        self.number = number
        self.name = name
        sql = String(decoding: file, as: UTF8.self)
        sha256 = SHA256.hash(data: file).description.suffix(64).lowercased()
    }
}

extension Migration {
    /// Every migration in order. A released one is never changed: a new one mends it.
    package static let all = [
        Migration(1, "registry", PackageResources.m0001_registry_sql),
        Migration(2, "signing_keys", PackageResources.m0002_signing_keys_sql),
        Migration(3, "dependencies", PackageResources.m0003_dependencies_sql),
        Migration(4, "access", PackageResources.m0004_access_sql),
        Migration(5, "pulls_edge", PackageResources.m0005_pulls_edge_sql),
        Migration(6, "facts", PackageResources.m0006_facts_sql),
        Migration(7, "upstreams", PackageResources.m0007_upstreams_sql),
        Migration(8, "audit", PackageResources.m0008_audit_sql),
        Migration(9, "policy", PackageResources.m0009_policy_sql),
        Migration(10, "upstream_care", PackageResources.m0010_upstream_care_sql),
        Migration(11, "crates_io", PackageResources.m0011_crates_io_sql),
        Migration(12, "lock_files", PackageResources.m0012_lock_files_sql),
        Migration(13, "pull_address", PackageResources.m0013_pull_address_sql),
    ]
}
