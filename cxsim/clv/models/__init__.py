"""Models of buying in closed form: parameters and arrays in, likelihoods and expectations out; no random numbers.

>>> from cxsim.clv.models.bgnbd import BetaGeometricParams
>>> from cxsim.clv.models.purchases import Outlook
>>> shop = BetaGeometricParams(r=0.24, alpha=4.41, a=0.79, b=2.43)
>>> float(Outlook(shop, 2, 30.43, 38.86).expected_purchases(39).round(3))
1.227
"""
