"""AWS::CertificateManager::Certificate: what the service's Describe call answers, first letters lowered."""

from driftguard.live.folding import Shape, names

COVERAGE = names("DomainName SubjectAlternativeNames KeyAlgorithm CertificateAuthorityArn")

SHAPE = Shape(
    type="AWS::CertificateManager::Certificate",
    config_type="AWS::ACM::Certificate",
    coverage=COVERAGE,
    rename={
        "CertificateArn": "certificateArn",
    },
)
